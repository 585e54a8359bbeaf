#include "worker/training/step_time.h"

#include <chrono>
#include <ctime>

#include "worker/training/evaluation.h"
#include "worker/training/loss.h"
#include "worker/training/optimizer.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {
namespace {

constexpr int kClasses = 2;

// A GPU's step is over when its results are there.
void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

// A step of either kind on one batch of random images.
class Step {
 public:
  Step(const sweeps::TrialSpec& spec, torch::Device device)
      : model_(without_weights(spec), kClasses, device),
        indices_(torch::arange(model_.base_stays_frozen() ? kEvaluationBatch : spec.batch_size)),
        images_{.images = torch::randint(
                    0, 256, {indices_.numel(), spec.image_size[0], spec.image_size[1], 3},
                    torch::kUInt8),
                .labels = indices_.remainder(kClasses)},
        labels_(images_.labels.to(device)),
        loss_(spec, images_.labels, kClasses, device),
        optimizer_(spec, groups()) {
    model_.train(true);
  }

  void take() {
    const torch::Tensor prepared = model_.images(images_, indices_);
    if (model_.base_stays_frozen()) {
      const torch::NoGradGuard no_gradients;
      model_.pooled(prepared);
      return;
    }
    const torch::Tensor logits = model_.logits(model_.pooled(prepared));
    optimizer_.zero_gradients();
    loss_.training(logits, labels_).backward();
    optimizer_.step();
  }

 private:
  static sweeps::TrialSpec without_weights(sweeps::TrialSpec spec) {
    spec.weights.reset();
    spec.weights_hash.reset();
    return spec;
  }

  std::vector<ParameterGroup> groups() {
    ParameterGroup all{.name = "all", .parameters = {}, .learning_rate = 1e-6, .steps = 0};
    for (const auto& [name, tensor, block] : model_.model().tensors()) {
      if (tensor.requires_grad()) all.parameters.emplace_back(name, tensor);
    }
    return {all};
  }

  TrialModel model_;
  torch::Tensor indices_;
  ImageSet images_;
  torch::Tensor labels_;
  Loss loss_;
  Optimizer optimizer_;
};

}  // namespace

std::vector<StepTime> time_steps(const sweeps::TrialSpec& spec, torch::Device device, int steps) {
  Step step(spec, device);
  step.take();
  wait_for(device);
  std::vector<StepTime> times;
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor_start = std::clock();
    step.take();
    wait_for(device);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    times.push_back({.wall = taken.count(),
                     .processor = static_cast<double>(std::clock() - processor_start) /
                                  static_cast<double>(CLOCKS_PER_SEC)});
  }
  return times;
}

}  // namespace ranksweep::worker
