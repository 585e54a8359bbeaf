#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "orchestrator/clock.h"

namespace ranksweep::orchestrator {

// How long another process may stay silent before it counts as lost. Look at it at least once a
// second: of a longer gap between two looks only a second counts, since whoever did not run in
// between (a stopped process, a laptop that slept) could not have heard anything.
class Lease {
 public:
  explicit Lease(std::chrono::duration<double> length) : length_(length) {}

  std::chrono::duration<double> length() const { return length_; }
  void set_length(std::chrono::duration<double> length) { length_ = length; }
  void renew(Clock::time_point now) {
    silence_ = Clock::duration::zero();
    last_look_ = now;
  }
  bool expired(Clock::time_point now) {
    if (last_look_) {
      silence_ += std::min<Clock::duration>(now - *last_look_, std::chrono::seconds(1));
    }
    last_look_ = now;
    return silence_ > length_;
  }

 private:
  std::chrono::duration<double> length_;
  Clock::duration silence_{};
  std::optional<Clock::time_point> last_look_;  // none: the first look starts the lease
};

}  // namespace ranksweep::orchestrator
