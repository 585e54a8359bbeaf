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

// The first line of what an error or a program says. When that ends with a colon, as where a
// program's output follows, the first line after it that has a word is added.
std::string one_line(const std::string& text);

}  // namespace ranksweep::cli
