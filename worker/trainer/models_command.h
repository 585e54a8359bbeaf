#pragma once

#include <array>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ranksweep::worker {

// What the architectures called `names` (none: all) cost, one object each:
//   name, base_parameters, parameters (with the default head for two classes)
//   multiply_adds  of the base for one image of `image_size`
//   memory_bytes   estimate for training all of it with RMSprop at batch size `batch`: weights,
//                  gradients, running averages, the best epoch's copy, and activations
// Throws std::invalid_argument for an unknown name, or images that are too small.
nlohmann::json describe_models(const std::vector<std::string>& names, std::array<int, 2> image_size,
                               int batch);

}  // namespace ranksweep::worker
