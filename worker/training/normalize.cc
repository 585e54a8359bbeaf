#include "worker/training/normalize.h"

#include <array>
#include <cstdint>
#include <utility>

namespace ranksweep::worker {
PixelScaling pixel_scaling(sweeps::Normalization normalization) {
  constexpr float kByte = 1.0F / 255;
  switch (normalization) {
    case sweeps::Normalization::scale_0_1:
      return {{kByte, kByte, kByte}, {0, 0, 0}};
    case sweeps::Normalization::minus1_1:
      return {{2 * kByte, 2 * kByte, 2 * kByte}, {-1, -1, -1}};
    case sweeps::Normalization::caffe:
      return {{1, 1, 1}, {-103.939F, -116.779F, -123.68F}, true};
    case sweeps::Normalization::imagenet:
      break;
  }
  return {{kByte / 0.229F, kByte / 0.224F, kByte / 0.225F},
          {-0.485F / 0.229F, -0.456F / 0.224F, -0.406F / 0.225F}};
}

namespace {

// `from` and `to` may be the same place.
template <typename Value>
void normalize_pixels(const Value* from, std::int64_t count, const PixelScaling& scale, float* to) {
  const auto [factor, offset, bgr] = scale;
  const int first = bgr ? 2 : 0;
  for (std::int64_t i = 0; i < count; ++i, from += 3, to += 3) {
    const auto a = static_cast<float>(from[first]);
    const auto b = static_cast<float>(from[1]);
    const auto c = static_cast<float>(from[2 - first]);
    to[0] = a * factor[0] + offset[0];
    to[1] = b * factor[1] + offset[1];
    to[2] = c * factor[2] + offset[2];
  }
}

torch::Tensor normalize_on_cpu(const torch::Tensor& pixels, const PixelScaling& scale) {
  const std::int64_t count = pixels.numel() / 3;
  if (pixels.scalar_type() == torch::kUInt8) {
    torch::Tensor result = torch::empty(pixels.sizes(), torch::kFloat32);
    normalize_pixels(pixels.const_data_ptr<std::uint8_t>(), count, scale,
                     result.mutable_data_ptr<float>());
    return result;
  }
  auto* values = pixels.mutable_data_ptr<float>();
  normalize_pixels(values, count, scale, values);
  return pixels;
}

}  // namespace

torch::Tensor normalize(torch::Tensor pixels, sweeps::Normalization normalization) {
  const PixelScaling scale = pixel_scaling(normalization);
  if (pixels.is_cpu()) return normalize_on_cpu(pixels.contiguous(), scale);
  const torch::Tensor values = pixels.to(torch::kFloat32);
  const auto row = [&](const std::array<float, 3>& each) {
    return torch::tensor({each[0], each[1], each[2]}, values.options());
  };
  return (scale.bgr ? values.flip({3}) : values).mul(row(scale.factor)).add_(row(scale.offset));
}

}  // namespace ranksweep::worker
