#include "tools/cli/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

namespace ranksweep::cli {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  }
  return fmt::format("{} d {:02} h", whole / 86400, whole % 86400 / 3600);
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  double value = bytes / 1000;
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string count_text(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string one_line(const std::string& text) {
  std::istringstream lines(text);
  std::string first;
  std::getline(lines, first);
  if (!first.ends_with(':')) {
    return first;
  }
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  for (std::string line; std::getline(lines, line);) {
    if (std::ranges::any_of(line, is_letter)) {
      return fmt::format("{} {}", first, line);
    }
  }
  first.pop_back();
  return first;
}

}  // namespace ranksweep::cli
