// Times training steps of one architecture in a group of trainers on CPUs, one thread each: images
// prepared, forward, backward with the sum of the gradients, optimizer. data_parallel.py compares
// groups.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

#include <sys/wait.h>
#include <torch/torch.h>

#include "worker/parallel/gradient_buckets.h"
#include "worker/parallel/shared_memory_group.h"
#include "worker/training/loss.h"
#include "worker/training/optimizer.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {
namespace {

constexpr int kWarmUp = 2;

struct Run {
  sweeps::TrialSpec spec;  // batch_size: of all members together
  int members = 1;
  Overlap overlap = Overlap::backward;
  int steps = 1;
};

void time_steps(const Run& run, GradientGroup& group) {
  at::set_num_threads(1);
  const auto [height, width] = run.spec.image_size;
  const int own = run.spec.batch_size / run.members;
  const ImageSet images{.images = torch::randint(0, 256, {own, height, width, 3}, torch::kUInt8),
                        .labels = torch::arange(own, torch::kInt64).remainder(2)};
  const torch::Tensor indices = torch::arange(own, torch::kInt64);
  TrialModel model(run.spec, 2, torch::kCPU);
  model.model().train(true);
  ParameterGroup parameters{
      .name = "all", .parameters = {}, .learning_rate = run.spec.learning_rate, .steps = 0};
  std::vector<torch::Tensor> trained;
  for (const auto& [name, tensor, block] : model.model().tensors()) {
    if (!tensor.requires_grad()) continue;
    parameters.parameters.emplace_back(name, tensor);
    trained.push_back(tensor);
  }
  Optimizer optimizer(run.spec, {parameters});
  const Loss loss(run.spec, images.labels, 2, torch::kCPU);
  GradientBuckets buckets(group, trained, run.overlap);
  for (int step = 0; step < kWarmUp + run.steps; ++step) {
    std::array<double, 1> meet = {0};
    group.sum(std::span<double>(meet));
    const auto start = std::chrono::steady_clock::now();
    const torch::Tensor logits = model.logits(model.pooled(model.images(images, indices)));
    buckets.prepare();
    loss.training(logits, images.labels).backward();
    buckets.finish();
    optimizer.step();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (step >= kWarmUp && group.member() == 0) std::printf("%.6f\n", taken.count());
  }
}

int run_members(const Run& run) {
  const SharedMemoryGroup::Options options{.members = run.members};
  std::array<int, 2> tokens{};
  if (::pipe(tokens.data()) != 0) return 1;
  using Line = std::array<char, 256>;
  for (int member = 1; member < run.members; ++member) {
    if (::fork() != 0) continue;
    Line line{};
    if (::read(tokens[0], line.data(), line.size()) <= 0) ::_exit(1);
    SharedMemoryGroup group(options, member, line.data());
    time_steps(run, group);
    ::_exit(0);
  }
  SharedMemoryGroup group(options);
  Line line{};
  group.token().copy(line.data(), line.size() - 1);
  for (int member = 1; member < run.members; ++member) {
    if (::write(tokens[1], line.data(), line.size()) <= 0) return 1;
  }
  time_steps(run, group);
  while (::wait(nullptr) > 0) {
  }
  return 0;
}

int start(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s ARCHITECTURE MEMBERS BATCH SIZE backward|none STEPS\n",
                 argv[0]);
    return 2;
  }
  Run run;
  run.spec.architecture = argv[1];
  run.members = std::atoi(argv[2]);
  run.spec.batch_size = std::atoi(argv[3]);
  run.spec.image_size = {std::atoi(argv[4]), std::atoi(argv[4])};
  run.overlap = argv[5] == std::string("none") ? Overlap::none : Overlap::backward;
  run.steps = std::atoi(argv[6]);
  return run_members(run);
}

}  // namespace
}  // namespace ranksweep::worker

int main(int argc, char** argv) { return ranksweep::worker::start(argc, argv); }
