// Times full training steps of one architecture: images prepared, forward, backward, optimizer.
// training_step.py runs it beside PyTorch and prints the table.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "worker/training/loss.h"
#include "worker/training/optimizer.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {
namespace {

constexpr int kWarmUp = 2;

// What a step took, in seconds: by the clock on the wall, and of all threads' processor time.
struct Duration {
  double wall = 0;
  double cpu = 0;
};

// Of each of `steps` steps of a full training with RMSprop.
std::vector<Duration> time_steps(const sweeps::TrialSpec& spec, int steps) {
  const auto [height, width] = spec.image_size;
  const ImageSet images{
      .images = torch::randint(0, 256, {spec.batch_size, height, width, 3}, torch::kUInt8),
      .labels = torch::arange(spec.batch_size, torch::kInt64).remainder(2)};
  const torch::Tensor indices = torch::arange(spec.batch_size, torch::kInt64);
  TrialModel model(spec, 2, torch::kCPU);
  model.model().train(true);
  ParameterGroup group{
      .name = "all", .parameters = {}, .learning_rate = spec.learning_rate, .steps = 0};
  for (const auto& [name, tensor, block] : model.model().tensors()) {
    if (tensor.requires_grad()) group.parameters.emplace_back(name, tensor);
  }
  Optimizer optimizer(spec, {group});
  const Loss loss(spec, images.labels, 2, torch::kCPU);

  std::vector<Duration> durations;
  for (int step = 0; step < kWarmUp + steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    const torch::Tensor logits = model.logits(model.pooled(model.images(images, indices)));
    optimizer.zero_gradients();
    loss.training(logits, images.labels).backward();
    optimizer.step();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    if (step >= kWarmUp) durations.push_back({taken.count(), cpu});
  }
  return durations;
}

int run(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr,
                 "usage: %s ARCHITECTURE contiguous|channels_last float32|bfloat16 BATCH SIZE "
                 "THREADS STEPS\n",
                 argv[0]);
    return 2;
  }
  sweeps::TrialSpec spec;
  spec.architecture = argv[1];
  spec.memory_format = argv[2] == std::string("contiguous") ? sweeps::MemoryFormat::contiguous
                                                            : sweeps::MemoryFormat::channels_last;
  spec.precision =
      argv[3] == std::string("bfloat16") ? sweeps::Precision::bfloat16 : sweeps::Precision::float32;
  spec.batch_size = std::atoi(argv[4]);
  spec.image_size = {std::atoi(argv[5]), std::atoi(argv[5])};
  at::set_num_threads(std::atoi(argv[6]));
  for (const Duration& each : time_steps(spec, std::atoi(argv[7]))) {
    std::printf("%.6f %.6f\n", each.wall, each.cpu);
  }
  return 0;
}

}  // namespace
}  // namespace ranksweep::worker

int main(int argc, char** argv) { return ranksweep::worker::run(argc, argv); }
