#include "worker/training/training_step.h"

#include <limits>

#include <gmock/gmock.h>

#include "tests/worker/parallel/members.h"

namespace ranksweep::worker {
namespace {

const bool kOneThread = (at::set_num_threads(1), true);

constexpr std::int64_t kImages = 11;

// A line through random "images", and the optimizer of its two weights.
struct Problem {
  explicit Problem(const StepOptions& options, GradientGroup* group = nullptr,
                   sweeps::Precision precision = sweeps::Precision::float32)
      : loss_scaling(precision),
        replicas(group ? std::make_unique<Replicas>(*group, torch::kCPU) : nullptr),
        step(loss, optimizer, loss_scaling, replicas.get(), options) {
    step.train({weights});
  }

  static sweeps::TrialSpec spec() {
    sweeps::TrialSpec spec;
    spec.optimizer = sweeps::Optimizer::sgd;
    return spec;
  }
  static torch::Tensor random(std::vector<std::int64_t> sizes) {
    return torch::rand(sizes, at::make_generator<at::CPUGeneratorImpl>(3));
  }

  StepSums compute_gradients() {
    const torch::Tensor batch = torch::arange(kImages);
    const torch::Tensor own = step.own_part(batch);
    passes = 0;
    StepSums sums =
        step.compute_gradients(batch, images.index_select(0, own), labels.index_select(0, own),
                               [this](const torch::Tensor& inputs) {
                                 ++passes;
                                 return inputs.matmul(weights);
                               });
    return replicas ? replicas->join(sums, false) : sums;
  }

  torch::Tensor images = random({kImages, 2}) - 0.5;
  torch::Tensor labels = torch::arange(kImages).remainder(2);
  torch::Tensor weights = random({2, 1}).requires_grad_();
  Loss loss{spec(), labels, 2, torch::kCPU};
  Optimizer optimizer{
      spec(),
      {{.name = "all", .parameters = {{"weights", weights}}, .learning_rate = 1, .steps = 0}}};
  LossScaling loss_scaling;
  std::unique_ptr<Replicas> replicas;
  TrainingStep step;
  int passes = 0;
};

class Parts : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Numbers, Parts, testing::Values(1, 2, 3, 100));

TEST_P(Parts, AddUpToTheWholeBatch) {
  Problem whole({});
  const StepSums expected = whole.compute_gradients();
  Problem problem({.batch_parts = GetParam()});
  const StepSums sums = problem.compute_gradients();
  EXPECT_EQ(problem.passes, std::min(GetParam(), 5));  // two images each at least
  EXPECT_NEAR(sums.loss, expected.loss, 1e-6);
  EXPECT_EQ(sums.correct, expected.correct);
  EXPECT_TRUE(problem.weights.grad().allclose(whole.weights.grad(), 1e-5));
}

TEST_P(Parts, AddUpInAGroupToo) {
  Problem whole({});
  const StepSums expected = whole.compute_gradients();
  as_members(3, [&](GradientGroup& group) {
    Problem problem({.batch_parts = GetParam()}, &group);
    const StepSums sums = problem.compute_gradients();
    EXPECT_NEAR(sums.loss, expected.loss, 1e-6);
    EXPECT_EQ(sums.correct, expected.correct);
    EXPECT_TRUE(problem.weights.grad().allclose(whole.weights.grad(), 1e-5));
  });
}

TEST(TrainingStep, LeavesOutAStepWhoseScaledGradientsAreInfinite) {
  Problem problem({}, nullptr, sweeps::Precision::float16);
  problem.loss_scaling.restore({.factor = std::numeric_limits<float>::max(), .steps = 0});
  problem.images.mul_(1e3);
  const torch::Tensor before = problem.weights.detach().clone();
  problem.compute_gradients();
  problem.step.update();
  EXPECT_TRUE(problem.weights.equal(before));
  problem.loss_scaling.restore({.factor = 1024, .steps = 0});
  problem.compute_gradients();
  problem.step.update();
  EXPECT_FALSE(problem.weights.equal(before));
}

TEST(TrainingStep, TakesTheStepOfTheUnscaledLoss) {
  Problem plain({});
  Problem scaled({}, nullptr, sweeps::Precision::float16);
  for (Problem* problem : {&plain, &scaled}) {
    problem->compute_gradients();
    problem->step.update();
  }
  EXPECT_TRUE(scaled.weights.allclose(plain.weights, 1e-6));
}

}  // namespace
}  // namespace ranksweep::worker
