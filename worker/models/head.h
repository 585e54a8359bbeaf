#pragma once

#include <array>
#include <cstdint>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// The custom dense head: pooling, hidden layers with ReLU, dropout, output. One logit for two
// classes (of class 1), one logit a class for more. Parameters: dense.N.weight, output.weight, ...
class Head : public torch::nn::Module {
 public:
  // `features`: shape [C, h, w] of one feature map.
  Head(const sweeps::Head& options, double dropout, std::array<std::int64_t, 3> features,
       int classes);

  // Has no parameters, so what a frozen base gives is kept in this form: [N, F].
  torch::Tensor pool(const torch::Tensor& feature_maps) const;
  // Logits [N, 1] or [N, classes] of pooled features.
  torch::Tensor forward(torch::Tensor pooled);
  // Logits for each image.
  std::int64_t outputs() const { return output_->options.out_features(); }

 private:
  sweeps::Pooling pooling_;
  double dropout_;
  torch::nn::ModuleList dense_;
  torch::nn::Linear output_ = nullptr;
};

}  // namespace ranksweep::worker
