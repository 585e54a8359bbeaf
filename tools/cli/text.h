#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ranksweep::cli {

// "45 s", "3 min 12 s", "5 h 02 min", "2 d 07 h".
std::string duration_text(double seconds);

// "1.2 GB", "35.0 MB": decimal units.
std::string bytes_text(double bytes);

// "1 trial", "3 trials".
std::string count_text(std::int64_t count, std::string_view noun);

}  // namespace ranksweep::cli
