#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <torch/torch.h>

#include "worker/parallel/replicas.h"
#include "worker/training/loss.h"
#include "worker/training/loss_scaling.h"
#include "worker/training/optimizer.h"
#include "worker/training/step_graphs.h"

namespace ranksweep::worker {

struct StepOptions {
  torch::Device device = torch::kCPU;
  // A batch is computed in so many parts, one after the other, and their gradients are added up: it
  // takes less memory. Batch normalisation sees a part alone.
  int batch_parts = 1;
  bool cuda_graphs = false;  // for a whole batch on one GPU
};

// The steps of a trial's optimizer, by one trainer or as a member of a group.
class TrainingStep {
 public:
  // Logits of what the network is given of some images: themselves, or features of them.
  using Forward = std::function<torch::Tensor(const torch::Tensor& inputs)>;

  // `replicas`: the group's, or null. All must outlive it.
  TrainingStep(const Loss& loss, Optimizer& optimizer, LossScaling& loss_scaling,
               Replicas* replicas, const StepOptions& options);

  // From now on `parameters` are trained, in the order of the forward pass; all others have no
  // gradients.
  void train(const std::vector<torch::Tensor>& parameters);

  // Of the images of a batch, those that this process computes, in that order.
  torch::Tensor own_part(const torch::Tensor& batch) const;

  // Leaves the gradients of the mean loss over `batch`, multiplied by the loss scale. `inputs` and
  // `labels`: of own_part(), on the device. Gives what this process contributes to the step.
  StepSums compute_gradients(const torch::Tensor& batch, const torch::Tensor& inputs,
                             const torch::Tensor& labels, const Forward& forward);
  // The optimizer's step along them, left out where the loss scale was too large for it.
  void update();

 private:
  std::vector<torch::Tensor> parts_of(const torch::Tensor& batch) const;
  StepSums pass(const torch::Tensor& inputs, const torch::Tensor& labels, double weight,
                const Forward& forward);

  const Loss& loss_;
  Optimizer& optimizer_;
  LossScaling& loss_scaling_;
  Replicas* replicas_;
  StepOptions options_;
  std::vector<torch::Tensor> parameters_;
  std::optional<StepGraphs> graphs_;
};

}  // namespace ranksweep::worker
