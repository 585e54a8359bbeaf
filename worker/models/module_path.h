#pragma once

#include <string>
#include <utility>

#include <torch/torch.h>

namespace ranksweep::worker {

// The module that holds the last part of the dotted `name`, made where it is not there yet, and
// that part.
std::pair<torch::nn::Module*, std::string> find_parent(torch::nn::Module& root,
                                                       const std::string& name);

}  // namespace ranksweep::worker
