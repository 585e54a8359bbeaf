#pragma once

#include <functional>
#include <string>
#include <vector>

#include <torch/torch.h>

// The vocabulary in which convolutional networks are written: a layer is a function of a batch of
// feature maps [N, C, H, W]. Layers with parameters come from Base, the others from here.
namespace ranksweep::worker {

using Layer = std::function<torch::Tensor(torch::Tensor)>;

// One after the other.
Layer sequence(std::vector<Layer> layers);

// All on the same input; their outputs joined along the channels.
Layer concatenate(std::vector<Layer> paths);

// x + scale * residual(x), or shortcut(x) + scale * residual(x).
Layer add(Layer residual, double scale = 1);
Layer add(Layer residual, Layer shortcut);

Layer relu();
Layer max_pool(int size, int stride, int padding = 0);

// Whether zeros of the padding count in the mean: torchvision's networks count them, those that
// came from TensorFlow do not.
enum class PaddingInMean { counted, left_out };
Layer average_pool(int size, int stride, int padding, PaddingInMean padding_in_mean);

}  // namespace ranksweep::worker
