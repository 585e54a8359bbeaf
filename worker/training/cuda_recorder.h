#pragma once

#include <memory>

#include <torch/torch.h>

#include "worker/training/step_graphs.h"

namespace ranksweep::worker {

// Records CUDA graphs. None for a device without them, or in a build without CUDA.
std::unique_ptr<Recorder> make_recorder(torch::Device device);

}  // namespace ranksweep::worker
