#include "results/utc_time.h"

#include <cstdio>
#include <stdexcept>

#include <fmt/chrono.h>

namespace ranksweep::results {

std::string format_utc(UtcTime time) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::time_t{seconds.count()}),
                     (since_epoch - seconds).count());
}

UtcTime parse_utc(const std::string& text) {
  int year = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%3dZ", &year, &month, &day, &hour, &minute,
                  &second, &millisecond) != 7) {
    throw std::invalid_argument(
        fmt::format("'{}' is no time: 2025-03-01T12:00:00.250Z would be one", text));
  }
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) +
         hours(hour) + minutes(minute) + seconds(second) + milliseconds(millisecond);
}

}  // namespace ranksweep::results
