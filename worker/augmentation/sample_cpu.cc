#include "worker/augmentation/sample_cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace ranksweep::worker {
namespace {

using sweeps::FillMode;

// Red, green, blue, and one unused value, which lets a pixel fill a vector register.
using Pixel = float __attribute__((vector_size(16)));

// A place along one axis: between two neighbouring pixels, or outside of the image.
struct Place {
  int low, high;   // the neighbours
  float fraction;  // how far towards the higher one
  bool outside;    // for FillMode::constant
};

// The pixel that an index beyond the edge stands for when the image is mirrored there.
int reflect(int index, int size) {
  const int period = 2 * size;
  index %= period;
  if (index < 0) index += period;
  return index < size ? index : period - 1 - index;
}

template <FillMode kMode>
Place find_place(float at, int size) {
  const auto last = static_cast<float>(size - 1);
  if constexpr (kMode == FillMode::reflect) {
    const float floor = std::floor(at);
    const int low = static_cast<int>(floor);
    if (low >= 0 && low + 1 < size) return {low, low + 1, at - floor, false};
    return {reflect(low, size), reflect(low + 1, size), at - floor, false};
  }
  if constexpr (kMode == FillMode::wrap) {
    if (at < 0 || at > last) at = size > 1 ? at - std::floor(at / last) * last : 0;
  }
  const bool outside = at < 0 || at > last;
  at = std::clamp(at, 0.0F, last);
  const int low = static_cast<int>(at);
  return {low, std::min(low + 1, size - 1), at - static_cast<float>(low), outside};
}

template <FillMode kMode>
void sample_pixels(const std::vector<Pixel>& source, int height, int width,
                   const std::array<float, 6>& map, float fill_value, float* result) {
  for (int y = 0; y < height; ++y) {
    const float begin_x = map[1] * static_cast<float>(y) + map[2];
    const float begin_y = map[4] * static_cast<float>(y) + map[5];
    for (int x = 0; x < width; ++x, result += 3) {
      const auto column = find_place<kMode>(map[0] * static_cast<float>(x) + begin_x, width);
      const auto row = find_place<kMode>(map[3] * static_cast<float>(x) + begin_y, height);
      Pixel value;
      if (kMode == FillMode::constant && (column.outside || row.outside)) {
        value = Pixel{fill_value, fill_value, fill_value};
      } else {
        const Pixel* upper = source.data() + std::ptrdiff_t{row.low} * width;
        const Pixel* lower = source.data() + std::ptrdiff_t{row.high} * width;
        const Pixel above =
            upper[column.low] + column.fraction * (upper[column.high] - upper[column.low]);
        const Pixel below =
            lower[column.low] + column.fraction * (lower[column.high] - lower[column.low]);
        value = above + row.fraction * (below - above);
      }
      std::memcpy(result, &value, 3 * sizeof(float));
    }
  }
}

template <typename Value>
void sample_values(const Value* source, int height, int width, const std::array<double, 6>& map,
                   FillMode fill_mode, float fill_value, float* result) {
  std::vector<Pixel> pixels(static_cast<std::size_t>(height) * width);
  for (Pixel& pixel : pixels) {
    pixel = Pixel{static_cast<float>(source[0]), static_cast<float>(source[1]),
                  static_cast<float>(source[2])};
    source += 3;
  }
  std::array<float, 6> coefficients;
  std::copy(map.begin(), map.end(), coefficients.begin());
  const auto run = [&](auto sampler) {
    sampler(pixels, height, width, coefficients, fill_value, result);
  };
  switch (fill_mode) {
    case FillMode::nearest:
      return run(sample_pixels<FillMode::nearest>);
    case FillMode::constant:
      return run(sample_pixels<FillMode::constant>);
    case FillMode::reflect:
      return run(sample_pixels<FillMode::reflect>);
    case FillMode::wrap:
      return run(sample_pixels<FillMode::wrap>);
  }
}

}  // namespace

void sample_image(const std::uint8_t* source, int height, int width,
                  const std::array<double, 6>& map, FillMode fill_mode, float fill_value,
                  float* result) {
  sample_values(source, height, width, map, fill_mode, fill_value, result);
}

void sample_image(const float* source, int height, int width, const std::array<double, 6>& map,
                  FillMode fill_mode, float fill_value, float* result) {
  sample_values(source, height, width, map, fill_mode, fill_value, result);
}

}  // namespace ranksweep::worker
