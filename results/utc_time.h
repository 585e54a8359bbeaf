#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace ranksweep::results {

using UtcTime = std::chrono::system_clock::time_point;
using Clock = std::function<UtcTime()>;

// ISO 8601 in UTC with milliseconds: "2025-03-01T12:00:00.250Z". Sorts as text.
std::string format_utc(UtcTime time);
// The inverse. Throws std::invalid_argument for what format_utc does not write.
UtcTime parse_utc(const std::string& text);

}  // namespace ranksweep::results
