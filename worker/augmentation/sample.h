#pragma once

#include <array>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// Reads every pixel of the result from the place in its image where the image's affine map
// (affine_map) takes it, bilinearly. `pixels` [B, H, W, 3], uint8 or float32; gives float32.
//
// Outside of the image, as scipy.ndimage with order=1 has it: nearest repeats the edge; constant is
// `fill_value` wherever a place lies beyond the centres of the outermost pixels; reflect mirrors at
// the edge (d c b a | a b c d | d c b a); wrap repeats with a period of one pixel less than the
// image, so that its first and its last pixel fall together.
torch::Tensor sample(const torch::Tensor& pixels, const std::vector<std::array<double, 6>>& maps,
                     sweeps::FillMode fill_mode, double fill_value);

// The way for devices other than the CPU, by Torch's grid_sample. The same result within rounding.
torch::Tensor sample_by_grid(const torch::Tensor& pixels,
                             const std::vector<std::array<double, 6>>& maps,
                             sweeps::FillMode fill_mode, double fill_value);

}  // namespace ranksweep::worker
