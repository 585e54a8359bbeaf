#pragma once

#include <array>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ranksweep::worker {

struct ModelsRequest {
  std::vector<std::string> names;        // architectures of ours
  std::vector<std::string> torchscript;  // files that bring one
  std::array<int, 2> image_size = {150, 150};
  int batch = 10;
};

// What the architectures of `request` (all of ours when it names none) cost, one object each:
//   name (of a file its path), base_parameters, parameters (with the default head for two classes)
//   multiply_adds  of the base for one image
//   activation_bytes  what training all of it keeps of an image until the backward pass
//   memory_bytes   estimate for training all of it with RMSprop: weights, gradients, running
//                  averages, the best epoch's copy, and activations
// Throws std::invalid_argument for an unknown name, a file that brings none, or images that are too
// small.
nlohmann::json describe_models(const ModelsRequest& request);

}  // namespace ranksweep::worker
