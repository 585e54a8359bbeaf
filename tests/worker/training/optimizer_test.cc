#include "worker/training/optimizer.h"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

constexpr int kSteps = 10;
constexpr double kRate = 0.01;

// The gradient of a step: some parameters get large ones, some almost none.
double gradient_at(int step, int index, double weight) {
  return std::sin(step + 3.0 * index) * std::pow(10.0, -index) + 0.1 * weight;
}

// Ten steps of `spec`'s optimizer on five numbers.
std::vector<double> run(const sweeps::TrialSpec& spec) {
  torch::Tensor weight = torch::linspace(-1, 1, 5, torch::kFloat64).requires_grad_(true);
  Optimizer optimizer(
      spec,
      {{.name = "all", .parameters = {{"weight", weight}}, .learning_rate = kRate, .steps = 0}});
  for (int step = 0; step < kSteps; ++step) {
    torch::Tensor gradient = torch::empty(5, torch::kFloat64);
    for (int i = 0; i < 5; ++i) {
      gradient[i] = gradient_at(step, i, weight[i].item<double>());
    }
    weight.mutable_grad() = gradient;
    optimizer.step();
  }
  const torch::Tensor plain = weight.detach();
  return {plain.data_ptr<double>(), plain.data_ptr<double>() + 5};
}

// The same by `update`, which changes a weight by its gradient with the help of two memories.
using Update = std::function<void(double& w, double g, double& m, double& v, int t)>;

std::vector<double> recompute(const Update& update) {
  std::vector<double> weights;
  for (int i = 0; i < 5; ++i) {
    double w = -1 + 0.5 * i;
    double m = 0;
    double v = 0;
    for (int step = 0; step < kSteps; ++step) update(w, gradient_at(step, i, w), m, v, step + 1);
    weights.push_back(w);
  }
  return weights;
}

void expect_equal(const sweeps::TrialSpec& spec, const Update& update) {
  const auto ours = run(spec);
  const auto plain = recompute(update);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(ours[i], plain[i], 1e-12) << i;
}

sweeps::TrialSpec spec_of(sweeps::Optimizer kind, double momentum = 0, double weight_decay = 0) {
  sweeps::TrialSpec spec;
  spec.optimizer = kind;
  spec.momentum = momentum;
  spec.weight_decay = weight_decay;
  return spec;
}

TEST(Optimizer, RmspropHasEpsilonInsideOfTheRoot) {
  expect_equal(spec_of(sweeps::Optimizer::rmsprop),
               [](double& w, double g, double&, double& v, int) {
                 v = 0.9 * v + 0.1 * g * g;
                 w -= kRate * g / std::sqrt(v + 1e-7);
               });
}

TEST(Optimizer, RmspropWithMomentumAndWeightDecay) {
  expect_equal(spec_of(sweeps::Optimizer::rmsprop, 0.8, 0.05),
               [](double& w, double g, double& m, double& v, int) {
                 g += 0.05 * w;
                 v = 0.9 * v + 0.1 * g * g;
                 m = 0.8 * m + kRate * g / std::sqrt(v + 1e-7);
                 w -= m;
               });
}

TEST(Optimizer, Sgd) {
  expect_equal(spec_of(sweeps::Optimizer::sgd),
               [](double& w, double g, double&, double&, int) { w -= kRate * g; });
}

TEST(Optimizer, SgdWithMomentumAndWeightDecay) {
  expect_equal(spec_of(sweeps::Optimizer::sgd, 0.9, 0.05),
               [](double& w, double g, double& m, double&, int) {
                 m = 0.9 * m - kRate * (g + 0.05 * w);
                 w += m;
               });
}

void adam(double& w, double g, double& m, double& v, int t) {
  m = 0.9 * m + 0.1 * g;
  v = 0.999 * v + 0.001 * g * g;
  const double rate = kRate * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
  w -= rate * m / (std::sqrt(v) + 1e-7);
}

TEST(Optimizer, Adam) { expect_equal(spec_of(sweeps::Optimizer::adam), adam); }

TEST(Optimizer, AdamAddsWeightDecayToTheGradient) {
  expect_equal(
      spec_of(sweeps::Optimizer::adam, 0, 0.05),
      [](double& w, double g, double& m, double& v, int t) { adam(w, g + 0.05 * w, m, v, t); });
}

TEST(Optimizer, AdamwDecaysTheWeightsThemselves) {
  expect_equal(spec_of(sweeps::Optimizer::adamw, 0, 0.05),
               [](double& w, double g, double& m, double& v, int t) {
                 w -= kRate * 0.05 * w;
                 adam(w, g, m, v, t);
               });
}

TEST(Optimizer, AGroupWithoutGradientsStandsStill) {
  const torch::Tensor head = torch::ones(2).requires_grad_(true);
  const torch::Tensor base = torch::ones(2).requires_grad_(true);
  Optimizer optimizer(
      spec_of(sweeps::Optimizer::adam),
      {{.name = "base", .parameters = {{"base", base}}, .learning_rate = 1, .steps = 0},
       {.name = "head", .parameters = {{"head", head}}, .learning_rate = 1, .steps = 0}});
  head.sum().backward();
  optimizer.step();
  EXPECT_TRUE(base.equal(torch::ones(2)));
  EXPECT_FALSE(head.equal(torch::ones(2)));
  EXPECT_EQ(optimizer.groups()[0].steps, 0);
  EXPECT_EQ(optimizer.groups()[1].steps, 1);
}

// On the CPU, where float32 takes a way of its own, with tensors in whatever layout.
TEST(Optimizer, RmspropOfFloatsOnTheCpuFollowsTheFormula) {
  torch::manual_seed(1);
  const torch::Tensor exact = torch::rand({70, 64, 9, 9}, torch::kFloat64);  // for many threads
  torch::Tensor weight =
      exact.to(torch::kFloat32).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_(true);
  Optimizer optimizer(
      {}, {{.name = "all", .parameters = {{"weight", weight}}, .learning_rate = kRate}});
  torch::Tensor expected = exact.to(torch::kFloat32).to(torch::kFloat64);
  torch::Tensor average = torch::zeros_like(expected);
  for (int step = 0; step < kSteps; ++step) {
    const torch::Tensor gradient = torch::randn(exact.sizes());
    weight.mutable_grad() = gradient;  // contiguous, as the weights are not
    optimizer.step();
    const torch::Tensor g = gradient.to(torch::kFloat64);
    average = 0.9 * average + 0.1 * g * g;
    expected = expected - kRate * g / (average + 1e-7).sqrt();
  }
  EXPECT_TRUE(weight.detach().to(torch::kFloat64).allclose(expected, 1e-5, 1e-6));
}

}  // namespace
}  // namespace ranksweep::worker
