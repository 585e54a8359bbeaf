#pragma once

#include <time.h>

namespace ranksweep::testing {

// Of this thread, in seconds: what a busy machine does not change.
inline double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace ranksweep::testing
