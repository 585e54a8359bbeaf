#include "worker/training/step_time.h"

#include <chrono>
#include <ctime>

#include "worker/training/evaluation.h"
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
  Step(const sweeps::TrialSpec& spec, const StepOptions& options)
      : model_(without_weights(spec), kClasses, options.device),
        indices_(torch::arange(model_.base_stays_frozen() ? kEvaluationBatch : spec.batch_size)),
        images_{.images = torch::randint(
                    0, 256, {indices_.numel(), spec.image_size[0], spec.image_size[1], 3},
                    torch::kUInt8),
                .labels = indices_.remainder(kClasses)},
        labels_(images_.labels.to(options.device)),
        loss_(spec, images_.labels, kClasses, options.device),
        optimizer_(spec, {trained()}),
        loss_scaling_(model_.precision()),
        step_(loss_, optimizer_, loss_scaling_, nullptr, options) {
    model_.train(true);
    std::vector<torch::Tensor> parameters;
    for (const auto& [name, tensor] : trained().parameters) parameters.push_back(tensor);
    step_.train(parameters);
  }

  void take() {
    const torch::Tensor prepared = model_.images(images_, indices_);
    if (model_.base_stays_frozen()) {
      const torch::NoGradGuard no_gradients;
      model_.pooled(prepared);
      return;
    }
    step_.compute_gradients(indices_, prepared, labels_, [this](const torch::Tensor& inputs) {
      return model_.logits(model_.pooled(inputs));
    });
    step_.update();
  }

 private:
  static sweeps::TrialSpec without_weights(sweeps::TrialSpec spec) {
    spec.weights.reset();
    spec.weights_hash.reset();
    return spec;
  }

  ParameterGroup trained() {
    ParameterGroup all{.name = "all", .parameters = {}, .learning_rate = 1e-6, .steps = 0};
    for (const auto& [name, tensor, block] : model_.model().tensors()) {
      if (tensor.requires_grad()) all.parameters.emplace_back(name, tensor);
    }
    return all;
  }

  TrialModel model_;
  torch::Tensor indices_;
  ImageSet images_;
  torch::Tensor labels_;
  Loss loss_;
  Optimizer optimizer_;
  LossScaling loss_scaling_;
  TrainingStep step_;
};

}  // namespace

std::vector<StepTime> time_steps(const sweeps::TrialSpec& spec, const StepOptions& options,
                                 int steps) {
  Step step(spec, options);
  step.take();
  wait_for(options.device);
  std::vector<StepTime> times;
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor_start = std::clock();
    step.take();
    wait_for(options.device);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    times.push_back({.wall = taken.count(),
                     .processor = static_cast<double>(std::clock() - processor_start) /
                                  static_cast<double>(CLOCKS_PER_SEC)});
  }
  return times;
}

}  // namespace ranksweep::worker
