#pragma once

#include <array>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// A pixel's channel times `factor`, plus `offset`.
struct PixelScaling {
  std::array<float, 3> factor = {};
  std::array<float, 3> offset = {};
  bool bgr = false;  // the result's channels, and those above, are blue, green, red
};

PixelScaling pixel_scaling(sweeps::Normalization normalization);

// Float32 [N, H, W, 3] of pixels 0..255, uint8 or float32, on their device; may change `pixels`.
// On a CPU one pass over the pixels, since it is done for every image of every epoch.
torch::Tensor normalize(torch::Tensor pixels, sweeps::Normalization normalization);

}  // namespace ranksweep::worker
