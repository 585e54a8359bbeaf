#pragma once

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// Float32 [N, H, W, 3] of pixels 0..255, uint8 or float32, on their device; may change `pixels`.
// On a CPU one pass over the pixels, since it is done for every image of every epoch.
torch::Tensor normalize(torch::Tensor pixels, sweeps::Normalization normalization);

}  // namespace ranksweep::worker
