#include "worker/models/layer.h"

#include <utility>

namespace ranksweep::worker {

Layer sequence(std::vector<Layer> layers) {
  return [layers = std::move(layers)](torch::Tensor x) {
    for (const Layer& layer : layers) x = layer(std::move(x));
    return x;
  };
}

Layer concatenate(std::vector<Layer> paths) {
  return [paths = std::move(paths)](const torch::Tensor& x) {
    std::vector<torch::Tensor> outputs;
    outputs.reserve(paths.size());
    for (const Layer& path : paths) outputs.push_back(path(x));
    return torch::cat(outputs, 1);
  };
}

Layer add(Layer residual, double scale) {
  return [residual = std::move(residual), scale](const torch::Tensor& x) {
    return residual(x).mul_(scale).add_(x);
  };
}

Layer add(Layer residual, Layer shortcut) {
  return [residual = std::move(residual), shortcut = std::move(shortcut)](const torch::Tensor& x) {
    return residual(x).add_(shortcut(x));
  };
}

Layer relu() {
  return [](torch::Tensor x) { return x.relu_(); };
}

Layer max_pool(int size, int stride, int padding) {
  return [=](const torch::Tensor& x) { return torch::max_pool2d(x, size, stride, padding); };
}

Layer average_pool(int size, int stride, int padding, PaddingInMean padding_in_mean) {
  const bool counted = padding_in_mean == PaddingInMean::counted;
  return [=](const torch::Tensor& x) {
    return torch::avg_pool2d(x, size, stride, padding, /*ceil_mode=*/false, counted);
  };
}

}  // namespace ranksweep::worker
