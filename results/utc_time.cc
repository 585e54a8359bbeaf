#include "results/utc_time.h"

#include <fmt/chrono.h>

namespace ranksweep::results {

std::string format_utc(UtcTime time) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::time_t{seconds.count()}),
                     (since_epoch - seconds).count());
}

}  // namespace ranksweep::results
