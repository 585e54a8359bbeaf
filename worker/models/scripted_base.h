#pragma once

#include <array>
#include <filesystem>

#include "sweeps/trial_spec.h"
#include "worker/models/base.h"

// Bases that come as TorchScript files, with their weights: a module whose forward() takes
// normalised images [N, 3, H, W] of float32 and gives feature maps [N, C, h, w], trainable, and
// beside it `ranksweep.json`, an object with
//   normalization   how images are prepared for it, as in a sweep file
//   image_size      [height, width] for which the next two are
//   multiply_adds   of one image
//   activations     numbers that the backward pass needs again, of one image
// tools/export_architecture.py writes such files. To load one is to run code from it. Functions
// throw std::invalid_argument, with the file's name, when it is none.
namespace ranksweep::worker {

// One block, "network", whose tensors are called as in the module, after "network.".
void build_scripted(const std::filesystem::path& file, Base& base);

// Found by a pass with an image without content. Throws also when it cannot take that size.
PassCost measure_scripted(const std::filesystem::path& file, std::array<int, 2> image_size);

sweeps::Normalization normalization_of_scripted(const std::filesystem::path& file);

}  // namespace ranksweep::worker
