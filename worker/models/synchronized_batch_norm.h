#pragma once

#include <functional>

#include <torch/torch.h>

namespace ranksweep::worker {

// A batch of which each member of a group has a part.
struct SharedBatch {
  std::function<void(const torch::Tensor&)> sum;  // of float64 tensors over the group, in place
  bool counts = true;  // whether this member's images are part of the batch; a stand-in is not
};

// Batch normalisation by the statistics of a whole shared batch: what torch::batch_norm in training
// mode does with all of it at once, in float32 or, if `x` is so, in float64. The backward pass sums
// over the group too, so all members must run it, and `batch` must outlive it. `x`: this member's
// part [N, C, H, W]; the others: [C]. The running statistics are updated, alike at every member.
torch::Tensor synchronized_batch_norm(const torch::Tensor& x, const torch::Tensor& weight,
                                      const torch::Tensor& bias, const torch::Tensor& running_mean,
                                      const torch::Tensor& running_variance, double momentum,
                                      double epsilon, const SharedBatch& batch);

}  // namespace ranksweep::worker
