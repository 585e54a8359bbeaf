#include "worker/models/head.h"

namespace ranksweep::worker {

Head::Head(const sweeps::Head& options, double dropout, std::array<std::int64_t, 3> features,
           int classes)
    : pooling_(options.pooling), dropout_(dropout) {
  const auto [channels, height, width] = features;
  std::int64_t in = pooling_ == sweeps::Pooling::flatten ? channels * height * width : channels;
  register_module("dense", dense_);
  for (const int out : options.dense) {
    dense_->push_back(torch::nn::Linear(in, out));
    in = out;
  }
  output_ = register_module("output", torch::nn::Linear(in, classes == 2 ? 1 : classes));
}

torch::Tensor Head::pool(const torch::Tensor& feature_maps) const {
  switch (pooling_) {
    case sweeps::Pooling::average:
      return feature_maps.mean({2, 3});
    case sweeps::Pooling::max:
      return feature_maps.amax({2, 3});
    case sweeps::Pooling::flatten:
      break;
  }
  return feature_maps.flatten(1);
}

torch::Tensor Head::forward(torch::Tensor pooled) {
  torch::Tensor x = std::move(pooled);
  for (const auto& layer : *dense_) x = layer->as<torch::nn::Linear>()->forward(x).relu_();
  return output_->forward(torch::dropout(x, dropout_, is_training()));
}

}  // namespace ranksweep::worker
