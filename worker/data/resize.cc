#include "worker/data/resize.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace ranksweep::worker {
namespace {

// Fixed point keeps the result the same on every machine: weights have 14 fractional bits, values
// between the two passes 6.
constexpr int kWeightBits = 14;
constexpr int kWeightOne = 1 << kWeightBits;
constexpr int kValueBits = 6;
constexpr int kFirstShift = kWeightBits - kValueBits;
constexpr int kSecondShift = kWeightBits + kValueBits;

// The same code for vector units of two generations; integers, so with the same result.
// The loader chooses before the thread sanitizer, which watches the choice, is there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define RANKSWEEP_VECTORIZED __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define RANKSWEEP_VECTORIZED
#endif

// A pixel's channels; the fourth is the next pixel's first and goes unused.
using Pixel = std::int32_t __attribute__((vector_size(16)));

// The inputs that each output depends on: `count[i]` of them from `first[i]` on.
struct Taps {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;  // `stride` for each output; they add up to kWeightOne
  std::size_t stride = 0;
};

// The taps of `out` outputs on `in` inputs. Lengths are counted in units of 1 / (2 out) input
// pixels, so that all of it is exact.
Taps make_taps(std::int64_t in, std::int64_t out) {
  const std::int64_t reach = 2 * std::max(in, out);
  Taps taps;
  taps.stride = static_cast<std::size_t>(reach / out + 2);
  taps.weights.resize(taps.stride * static_cast<std::size_t>(out));
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
    std::int32_t* weights = &taps.weights[taps.stride * static_cast<std::size_t>(i)];
    std::int32_t rest = kWeightOne;
    for (std::int64_t x = first; x < end; ++x) {
      weights[x - first] = static_cast<std::int32_t>(height(x) * kWeightOne / sum);
      rest -= weights[x - first];
    }
    weights[highest - first] += rest;
    taps.first.push_back(static_cast<int>(first));
    taps.count.push_back(static_cast<int>(end - first));
  }
  return taps;
}

// One output row: the weighted sum of `count` input rows of `size` values, in units of
// 1 / 2^kValueBits.
RANKSWEEP_VECTORIZED void blend_rows(const std::uint8_t* input, std::size_t size,
                                     const std::int32_t* weights, int count, std::int32_t* row) {
  std::fill(row, row + size, 1 << (kFirstShift - 1));
  for (int k = 0; k < count; ++k, input += size) {
    const std::int32_t weight = weights[k];
    for (std::size_t x = 0; x < size; ++x) row[x] += weight * input[x];
  }
  for (std::size_t x = 0; x < size; ++x) row[x] >>= kFirstShift;
}

// `row` has one value more than its pixels need.
RANKSWEEP_VECTORIZED void blend_columns(const std::int32_t* row, const Taps& taps,
                                        std::uint8_t* output) {
  constexpr std::int32_t kHalf = 1 << (kSecondShift - 1);
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    const std::int32_t* input = row + 3 * std::ptrdiff_t{taps.first[i]};
    const std::int32_t* weights = &taps.weights[taps.stride * i];
    Pixel sum = {kHalf, kHalf, kHalf, kHalf};
    for (int k = 0; k < taps.count[i]; ++k, input += 3) {
      Pixel pixel;
      std::memcpy(&pixel, input, sizeof(pixel));
      sum += pixel * weights[k];
    }
    sum >>= kSecondShift;
    for (int channel = 0; channel < 3; ++channel) {
      *output++ = static_cast<std::uint8_t>(sum[channel]);
    }
  }
}

}  // namespace

Image resize(Image image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  const Taps vertical = make_taps(image.height, height);
  const Taps horizontal = make_taps(image.width, width);
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t out_stride = static_cast<std::size_t>(width) * 3;
  std::vector<std::int32_t> row(in_stride + 1);
  Image result{height, width, {}};
  result.pixels.resize(static_cast<std::size_t>(height) * out_stride);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    blend_rows(image.pixels.data() + in_stride * static_cast<std::size_t>(vertical.first[y]),
               in_stride, &vertical.weights[vertical.stride * y], vertical.count[y], row.data());
    blend_columns(row.data(), horizontal, result.pixels.data() + out_stride * y);
  }
  return result;
}

}  // namespace ranksweep::worker
