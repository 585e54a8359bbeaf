#include "worker/training/training_step.h"

#include <algorithm>
#include <utility>

#include "sweeps/trial_spec.h"
#include "worker/training/cuda_recorder.h"

namespace ranksweep::worker {

TrainingStep::TrainingStep(const Loss& loss, Optimizer& optimizer, LossScaling& loss_scaling,
                           Replicas* replicas, const StepOptions& options)
    : loss_(loss),
      optimizer_(optimizer),
      loss_scaling_(loss_scaling),
      replicas_(replicas),
      options_(options) {}

void TrainingStep::train(const std::vector<torch::Tensor>& parameters) {
  if (replicas_) replicas_->train(parameters);
  const auto same = [](const torch::Tensor& a, const torch::Tensor& b) { return a.is_same(b); };
  if (std::ranges::equal(parameters, parameters_, same)) return;
  parameters_ = parameters;
  graphs_.reset();
  // A group watches its sums, and parts add to gradients that a replay would put in place.
  if (!options_.cuda_graphs || replicas_ || options_.batch_parts > 1) return;
  if (auto recorder = make_recorder(options_.device)) {
    graphs_.emplace(std::move(recorder), parameters_);
  }
}

std::vector<torch::Tensor> TrainingStep::parts_of(const torch::Tensor& batch) const {
  const std::int64_t most = std::max<std::int64_t>(batch.numel() / sweeps::kFewestImages, 1);
  return batch.tensor_split(std::min<std::int64_t>(options_.batch_parts, most));
}

torch::Tensor TrainingStep::own_part(const torch::Tensor& batch) const {
  if (!replicas_) return batch;
  std::vector<torch::Tensor> own;
  for (const torch::Tensor& part : parts_of(batch)) own.push_back(replicas_->part_of(part));
  return torch::cat(own);
}

StepSums TrainingStep::compute_gradients(const torch::Tensor& batch, const torch::Tensor& inputs,
                                         const torch::Tensor& labels, const Forward& forward) {
  const std::vector<torch::Tensor> parts = parts_of(batch);
  if (replicas_) {
    replicas_->begin_backward(static_cast<int>(parts.size()));
  } else {
    optimizer_.zero_gradients();
  }
  StepSums sums;
  std::int64_t begin = 0;
  for (const torch::Tensor& part : parts) {
    double weight = static_cast<double>(part.numel()) / static_cast<double>(batch.numel());
    std::int64_t own = part.numel();
    if (replicas_) {
      replicas_->begin_batch(part.numel());
      weight *= replicas_->weight();
      own = replicas_->part_of(part).numel();
    }
    const StepSums of_part = pass(inputs.slice(0, begin, begin + own),
                                  labels.slice(0, begin, begin + own), weight, forward);
    sums.loss += of_part.loss;
    sums.correct += of_part.correct;
    begin += own;
  }
  if (replicas_) replicas_->end_backward();
  return sums;
}

// `weight`: of the images in the batch; 0 for a member that stands in, whose loss counts nothing.
StepSums TrainingStep::pass(const torch::Tensor& inputs, const torch::Tensor& labels, double weight,
                            const Forward& forward) {
  const double factor = weight * loss_scaling_.scale().factor;
  const StepGraphs::Step step = [&](const StepGraphs::Tensors& given) -> StepGraphs::Tensors {
    const torch::Tensor logits = forward(given[0]);
    const torch::Tensor loss = loss_.training(logits, given[1]);
    (factor == 1 ? loss : loss * factor).backward();
    return {loss.detach(), Loss::predict(logits.detach()).eq(given[1]).sum()};
  };
  const StepGraphs::Tensors results =
      graphs_ ? graphs_->run({inputs, labels}, factor, step) : step({inputs, labels});
  if (weight == 0) return {};
  return {.loss = results[0].item<double>() * weight, .correct = results[1].item<double>()};
}

void TrainingStep::update() {
  if (loss_scaling_.unscale(optimizer_.gradients())) optimizer_.step();
}

}  // namespace ranksweep::worker
