#include "worker/training/loss.h"

#include <cmath>

#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

torch::Tensor labels_of(std::vector<std::int64_t> labels) {
  return torch::tensor(labels, torch::kInt64);
}

double training_loss(const sweeps::TrialSpec& spec, const torch::Tensor& logits,
                     const torch::Tensor& labels, const torch::Tensor& train_labels) {
  const int classes = logits.size(1) == 1 ? 2 : static_cast<int>(logits.size(1));
  return Loss(spec, train_labels, classes, torch::kCPU).training(logits, labels).item<double>();
}

TEST(Loss, OneLogitIsBinaryCrossEntropy) {
  const torch::Tensor logits = torch::tensor({0.3, -2.0, 1.5}).unsqueeze(1);
  const torch::Tensor labels = labels_of({1, 0, 0});
  const double expected = -(log_sigmoid(0.3) + log_sigmoid(2.0) + log_sigmoid(-1.5)) / 3;
  EXPECT_NEAR(training_loss({}, logits, labels, labels), expected, 1e-6);
}

TEST(Loss, StaysFiniteForConfidentMistakes) {
  const torch::Tensor logits = torch::tensor({{500.0F}});
  EXPECT_EQ(Loss::each(logits, labels_of({0})).item<float>(), 500.0F);
}

TEST(Loss, LogProbabilitiesAreExactAtBothEnds) {
  const torch::Tensor one = Loss::log_probabilities(torch::tensor({{16.0F}, {-200.0F}}));
  EXPECT_FLOAT_EQ(one[0][1].item<float>(), -1.1253517e-7F);
  EXPECT_FLOAT_EQ(one[0][0].item<float>(), -16.0F);
  EXPECT_FLOAT_EQ(one[1][1].item<float>(), -200.0F);
  const torch::Tensor three = Loss::log_probabilities(torch::tensor({{20.0F, 0.0F, -180.0F}}));
  EXPECT_FLOAT_EQ(three[0][2].item<float>(), -200.0F);
  EXPECT_TRUE(
      torch::allclose(three.exp(), Loss::probabilities(torch::tensor({{20.0F, 0.0F, -180.0F}}))));
}

TEST(Loss, LabelSmoothingMovesTheTargetTowardsOneHalf) {
  sweeps::TrialSpec spec;
  spec.label_smoothing = 0.2;
  const torch::Tensor logits = torch::tensor({{0.7F}});
  const double expected = -(0.9 * log_sigmoid(0.7) + 0.1 * log_sigmoid(-0.7));
  EXPECT_NEAR(training_loss(spec, logits, labels_of({1}), labels_of({1})), expected, 1e-6);
}

TEST(Loss, LabelSmoothingOfMoreClassesSpreadsEvenly) {
  sweeps::TrialSpec spec;
  spec.label_smoothing = 0.3;
  const torch::Tensor logits = torch::tensor({{1.0F, 2.0F, -1.0F}});
  const torch::Tensor log_probability = torch::log_softmax(logits, 1)[0];
  double expected = 0;
  for (int i = 0; i < 3; ++i) expected -= (i == 1 ? 0.8 : 0.1) * log_probability[i].item<double>();
  EXPECT_NEAR(training_loss(spec, logits, labels_of({1}), labels_of({1})), expected, 1e-6);
}

TEST(Loss, ClassWeightsWeighImagesAndDivideByTheirNumber) {
  sweeps::TrialSpec spec;
  spec.class_weights = {1, 3};
  const torch::Tensor logits = torch::tensor({0.3, -2.0}).unsqueeze(1);
  const double expected = -(3 * log_sigmoid(0.3) + 1 * log_sigmoid(2.0)) / 2;
  EXPECT_NEAR(training_loss(spec, logits, labels_of({1, 0}), labels_of({1, 0})), expected, 1e-6);
}

TEST(Loss, BalancedWeightsMakeUpForRareClasses) {
  sweeps::TrialSpec spec;
  spec.balanced_class_weights = true;
  const torch::Tensor logits = torch::tensor({0.3, -2.0}).unsqueeze(1);
  const double expected =
      -(4 / (2 * 1.0) * log_sigmoid(0.3) + 4 / (2 * 3.0) * log_sigmoid(2.0)) / 2;
  EXPECT_NEAR(training_loss(spec, logits, labels_of({1, 0}), labels_of({0, 0, 1, 0})), expected,
              1e-6);
}

TEST(Loss, AWrongNumberOfClassWeightsIsRefused) {
  sweeps::TrialSpec spec;
  spec.class_weights = {1, 2, 3};
  EXPECT_THROW(Loss(spec, labels_of({0, 1}), 2, torch::kCPU), std::invalid_argument);
}

TEST(Loss, ComparisonIsNeitherSmoothedNorWeighted) {
  const torch::Tensor logits = torch::tensor({0.3, -2.0}).unsqueeze(1);
  const torch::Tensor each = Loss::each(logits, labels_of({1, 1}));
  EXPECT_NEAR(each[0].item<double>(), -log_sigmoid(0.3), 1e-6);
  EXPECT_NEAR(each[1].item<double>(), -log_sigmoid(-2.0), 1e-6);
}

TEST(Loss, Predictions) {
  EXPECT_TRUE(Loss::predict(torch::tensor({{0.1F}, {-0.1F}})).equal(labels_of({1, 0})));
  EXPECT_TRUE(Loss::predict(torch::tensor({{0.1F, 0.2F, 0.0F}})).equal(labels_of({1})));
}

}  // namespace
}  // namespace ranksweep::worker
