#pragma once

#include <cstdint>

#include <torch/torch.h>

#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {

// What a network goes by: how far the log-odds of the class with index `of_class` fall when a part
// of `image` is hidden under the image's mean colour (M. D. Zeiler, R. Fergus, 2014, Visualizing
// and Understanding Convolutional Networks, section 4.2). Log-odds, since a probability next to 1
// cannot fall visibly. `image`: [H, W, 3] of uint8, of the model's size, on the CPU. Gives float32
// [12, 12] on the CPU: for each cell of a grid over the image, with its neighbours hidden along
// with it. Positive where the image speaks for the class.
torch::Tensor occlusion_map(TrainedModel& model, const torch::Tensor& image, std::int64_t of_class);

}  // namespace ranksweep::worker
