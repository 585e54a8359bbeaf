#include "tools/cli/occlusion_picture.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ranksweep::cli {
namespace {

constexpr double kDeepest = 0.6;  // share of the colour; the rest is the image

double largest(const OcclusionMap& map) {
  double largest = 0;
  for (const auto& row : map) {
    for (const double value : row) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

// Two neighbouring cells, and how near the second is, for pixel `at` of `pixels` along a side.
struct Between {
  std::size_t first = 0;
  std::size_t second = 0;
  double share = 0;
};

Between cells_at(int at, int pixels, std::size_t cells) {
  const double place = (at + 0.5) * static_cast<double>(cells) / pixels - 0.5;
  const double inside = std::clamp(place, 0.0, static_cast<double>(cells - 1));
  const auto first = static_cast<std::size_t>(inside);
  return {first, std::min(first + 1, cells - 1), inside - static_cast<double>(first)};
}

double value_at(const OcclusionMap& map, const Between& row, const Between& column) {
  const auto along = [&](std::size_t index) {
    return std::lerp(map[index][column.first], map[index][column.second], column.share);
  };
  return std::lerp(along(row.first), along(row.second), row.share);
}

}  // namespace

worker::Image draw_occlusion(const worker::Image& image, const OcclusionMap& map) {
  constexpr std::array<double, 3> kFor = {214, 39, 40};
  constexpr std::array<double, 3> kAgainst = {31, 119, 180};
  const double scale = std::max(largest(map), 1e-12);
  worker::Image picture = image;
  auto* pixel = picture.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    const Between row = cells_at(y, image.height, map.size());
    for (int x = 0; x < image.width; ++x, pixel += 3) {
      const double value = value_at(map, row, cells_at(x, image.width, map.front().size())) / scale;
      const double grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
      const auto& color = value > 0 ? kFor : kAgainst;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        pixel[channel] = static_cast<std::uint8_t>(
            std::lround(std::lerp(grey, color[channel], kDeepest * std::abs(value))));
      }
    }
  }
  return picture;
}

}  // namespace ranksweep::cli
