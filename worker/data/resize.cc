#include "worker/data/resize.h"

#include <algorithm>
#include <cstdlib>
#include <span>

namespace ranksweep::worker {
namespace {

// Fixed point keeps the result the same on every machine: weights have 14 fractional bits, values
// between the two passes 6.
constexpr int kWeightBits = 14;
constexpr int kWeightOne = 1 << kWeightBits;
constexpr int kValueBits = 6;
constexpr int kFirstShift = kWeightBits - kValueBits;
constexpr int kSecondShift = kWeightBits + kValueBits;

// The inputs that one output depends on: weights for inputs first, first + 1, ...
struct Taps {
  int first = 0;
  std::vector<std::int16_t> weights;  // their sum is kWeightOne, exactly
};

// The taps of each of `out` outputs on `in` inputs. Lengths are counted in units of 1 / (2 out)
// input pixels, so that all of it is exact.
std::vector<Taps> make_taps(std::int64_t in, std::int64_t out) {
  std::vector<Taps> taps(static_cast<std::size_t>(out));
  const std::int64_t reach = 2 * std::max(in, out);
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t centre = (2 * i + 1) * in;
    const auto height = [&](std::int64_t x) {  // of the triangle above input x
      return std::max<std::int64_t>(0, reach - std::abs((2 * x + 1) * out - centre));
    };
    std::int64_t first = std::max<std::int64_t>(0, (centre - reach) / (2 * out));
    while (height(first) == 0) ++first;
    std::int64_t sum = 0, end = first, highest = first;
    for (; end < in && height(end) > 0; ++end) {
      sum += height(end);
      if (height(end) > height(highest)) highest = end;
    }
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.first = static_cast<int>(first);
    int rest = kWeightOne;
    for (std::int64_t x = first; x < end; ++x) {
      tap.weights.push_back(static_cast<std::int16_t>(height(x) * kWeightOne / sum));
      rest -= tap.weights.back();
    }
    tap.weights[static_cast<std::size_t>(highest - first)] += static_cast<std::int16_t>(rest);
  }
  return taps;
}

// One output row: the weighted sum of input rows, in units of 1 / 2^kValueBits.
void blend_rows(const Image& image, const Taps& taps, std::span<std::int32_t> sums,
                std::span<std::int16_t> row) {
  const std::size_t stride = row.size();
  std::fill(sums.begin(), sums.end(), 1 << (kFirstShift - 1));
  const std::uint8_t* input = image.pixels.data() + stride * static_cast<std::size_t>(taps.first);
  for (const std::int16_t weight : taps.weights) {
    for (std::size_t x = 0; x < stride; ++x) sums[x] += weight * input[x];
    input += stride;
  }
  for (std::size_t x = 0; x < stride; ++x)
    row[x] = static_cast<std::int16_t>(sums[x] >> kFirstShift);
}

void blend_columns(std::span<const std::int16_t> row, const std::vector<Taps>& taps,
                   std::uint8_t* output) {
  for (const Taps& tap : taps) {
    const std::int16_t* input = row.data() + 3 * tap.first;
    std::int32_t red = 1 << (kSecondShift - 1), green = red, blue = red;
    for (const std::int16_t weight : tap.weights) {
      red += weight * input[0];
      green += weight * input[1];
      blue += weight * input[2];
      input += 3;
    }
    *output++ = static_cast<std::uint8_t>(red >> kSecondShift);
    *output++ = static_cast<std::uint8_t>(green >> kSecondShift);
    *output++ = static_cast<std::uint8_t>(blue >> kSecondShift);
  }
}

}  // namespace

Image resize(Image image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  const std::vector<Taps> vertical = make_taps(image.height, height);
  const std::vector<Taps> horizontal = make_taps(image.width, width);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(image.width) * 3);
  std::vector<std::int16_t> row(sums.size());
  Image result{height, width, {}};
  result.pixels.resize(static_cast<std::size_t>(height) * width * 3);
  std::uint8_t* output = result.pixels.data();
  for (const Taps& taps : vertical) {
    blend_rows(image, taps, sums, row);
    blend_columns(row, horizontal, output);
    output += static_cast<std::size_t>(width) * 3;
  }
  return result;
}

}  // namespace ranksweep::worker
