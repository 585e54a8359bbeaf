#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/augmentation/transform.h"

namespace ranksweep::worker {

// Changes a batch of training images as `augmentation` asks for, on the device where it lies.
//
// `pixels` is [B, H, W, 3], uint8 or float32, 0..255; `images` are the B indices of the images in
// the training split, `epoch` counts from 1. Gives float32 [B, H, W, 3], 0..255, not rounded. What
// an image becomes depends on nothing but the image, its index, `epoch`, `data_seed` and
// `augmentation`.
//
// In the order of Keras' ImageDataGenerator: one affine map with flips, sampled once; then the
// channel shift, which keeps to the range of values of the image; then brightness, cut at 255.
torch::Tensor augment(const torch::Tensor& pixels, std::span<const std::int64_t> images,
                      std::int64_t epoch, const sweeps::Augmentation& augmentation,
                      std::int64_t data_seed);

// Applies given parameters, one set an image, without drawing any.
torch::Tensor apply_transforms(const torch::Tensor& pixels,
                               const std::vector<TransformParameters>& transforms,
                               sweeps::FillMode fill_mode, double fill_value);

}  // namespace ranksweep::worker
