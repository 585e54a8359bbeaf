#include "worker/augmentation/augment.h"

#include <algorithm>

#include "worker/augmentation/sample.h"

namespace ranksweep::worker {
namespace {

using Transforms = std::vector<TransformParameters>;

// A value of every image, shaped to meet [B, H, W, 3].
template <typename Get>
torch::Tensor per_image(const Transforms& transforms, const torch::Tensor& like, Get get) {
  std::vector<float> values;
  for (const TransformParameters& transform : transforms) {
    values.push_back(static_cast<float>(get(transform)));
  }
  return torch::tensor(values).to(like.device()).view({-1, 1, 1, 1});
}

bool moves(const TransformParameters& t) {
  return t.theta != 0 || t.tx != 0 || t.ty != 0 || t.shear != 0 || t.zx != 1 || t.zy != 1;
}

// Flips alone need no sampling: they move whole pixels.
torch::Tensor flip(const torch::Tensor& pixels, const Transforms& transforms) {
  const auto flip_where = [&](const torch::Tensor& batch, std::int64_t axis, auto wanted) {
    if (std::none_of(transforms.begin(), transforms.end(), wanted)) return batch;
    return torch::where(per_image(transforms, batch, wanted) != 0, batch.flip({axis}), batch);
  };
  const torch::Tensor flipped =
      flip_where(pixels, 2, [](const TransformParameters& t) { return t.flip_horizontal; });
  return flip_where(flipped, 1, [](const TransformParameters& t) { return t.flip_vertical; });
}

torch::Tensor shift_channels(const torch::Tensor& pixels, const Transforms& transforms) {
  const torch::Tensor low = pixels.amin({1, 2, 3}, true), high = pixels.amax({1, 2, 3}, true);
  const torch::Tensor shift =
      per_image(transforms, pixels, [](const TransformParameters& t) { return t.channel_shift; });
  return torch::min(torch::max(pixels + shift, low), high);
}

torch::Tensor brighten(const torch::Tensor& pixels, const Transforms& transforms) {
  const torch::Tensor factor =
      per_image(transforms, pixels, [](const TransformParameters& t) { return t.brightness; });
  return (pixels * factor).clamp(0, 255);
}

}  // namespace

torch::Tensor apply_transforms(const torch::Tensor& pixels, const Transforms& transforms,
                               sweeps::FillMode fill_mode, double fill_value) {
  const auto any = [&](auto has) { return std::any_of(transforms.begin(), transforms.end(), has); };
  torch::Tensor result;
  if (any(moves)) {
    std::vector<std::array<double, 6>> maps;
    for (const TransformParameters& transform : transforms) {
      maps.push_back(affine_map(transform, static_cast<int>(pixels.size(1)),
                                static_cast<int>(pixels.size(2))));
    }
    result = sample(pixels, maps, fill_mode, fill_value);
  } else {
    result = flip(pixels, transforms).to(torch::kFloat32);
  }
  if (any([](const TransformParameters& t) { return t.channel_shift != 0; })) {
    result = shift_channels(result, transforms);
  }
  if (any([](const TransformParameters& t) { return t.brightness != 1; })) {
    result = brighten(result, transforms);
  }
  return result;
}

torch::Tensor augment(const torch::Tensor& pixels, std::span<const std::int64_t> images,
                      std::int64_t epoch, const sweeps::Augmentation& augmentation,
                      std::int64_t data_seed) {
  Transforms transforms;
  for (const std::int64_t image : images) {
    transforms.push_back(draw_transform(augmentation, data_seed, epoch, image,
                                        static_cast<int>(pixels.size(1)),
                                        static_cast<int>(pixels.size(2))));
  }
  return apply_transforms(pixels, transforms, augmentation.fill_mode, augmentation.fill_value);
}

}  // namespace ranksweep::worker
