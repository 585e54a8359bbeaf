#pragma once

#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// By what the loss is multiplied before the backward pass.
struct LossScale {
  double factor = 1;
  int steps = 0;  // taken with it in a row
};

// Keeps small gradients from becoming zero in float16 (P. Micikevicius et al., Mixed Precision
// Training, ICLR 2018), with the numbers of torch.amp.GradScaler: a factor of 65536, doubled after
// 2000 steps in a row and halved when a gradient became infinite, whose step is left out. In other
// precisions the factor is 1 and stays so.
class LossScaling {
 public:
  explicit LossScaling(sweeps::Precision precision);

  const LossScale& scale() const { return scale_; }
  void restore(const LossScale& scale) { scale_ = scale; }

  // Takes the factor out of `gradients` again. False: not all of them are finite, and the step
  // along them must not be taken.
  bool unscale(const std::vector<torch::Tensor>& gradients);

 private:
  bool on_;
  LossScale scale_;
};

}  // namespace ranksweep::worker
