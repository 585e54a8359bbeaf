#pragma once

#include <torch/script.h>

#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {

// `model` as a TorchScript module that needs nothing of ours: forward() takes images
// [N, H, W, 3] of uint8, RGB, upright, of any size, and gives float32 [N, classes] whose rows sum
// to 1, on the device where the module lies. Resizing is part of it, integer for integer the one of
// decode_image(), and so is normalisation. Its attributes `classes` (list of names) and
// `image_size` (height and width) describe it. In evaluation mode; `model` must outlive no call.
torch::jit::Module to_torchscript(TrainedModel& model);

}  // namespace ranksweep::worker
