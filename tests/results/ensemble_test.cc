#include "results/ensemble.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

namespace ranksweep::results {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of two classes, from the logits of class 1.
sweeps::Predictions predictions_of(const std::vector<double>& logits) {
  sweeps::Predictions predictions{.images = static_cast<int>(logits.size()), .classes = 2};
  for (const double logit : logits) {
    for (const double each : {logit, -logit}) {
      predictions.log_probabilities.push_back(static_cast<float>(-std::log1p(std::exp(each))));
    }
  }
  return predictions;
}

std::vector<int> alternating_labels(std::size_t count) {
  std::vector<int> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<int>(i % 2);
  return labels;
}

// Trials whose logits point the right way by `skill`, with noise of their own.
std::vector<sweeps::Predictions> noisy_trials(int trials, const std::vector<int>& labels,
                                              double skill) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 2);
  std::vector<sweeps::Predictions> all;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> logits;
    for (const int label : labels) logits.push_back((label == 1 ? skill : -skill) + noise(random));
    all.push_back(predictions_of(logits));
  }
  return all;
}

TEST(Ensemble, AveragesProbabilities) {
  const double right = std::log(3.0);  // a probability of 3/4
  const std::vector<sweeps::Predictions> members = {predictions_of({right, -right}),
                                                    predictions_of({-right, -right})};
  const EnsembleScores scores = test_ensemble(members, {1, 1});
  EXPECT_THAT(scores.best.losses, Pointwise(DoubleNear(1e-6), {-std::log(0.75), -std::log(0.25)}));
  EXPECT_THAT(scores.best.right, ElementsAre(1, 0));
  EXPECT_THAT(scores.average.losses,
              Pointwise(DoubleNear(1e-6), {-std::log(0.5), -std::log(0.25)}));
}

TEST(Ensemble, IndependentErrorsCancel) {
  const std::vector<int> labels = alternating_labels(200);
  const auto trials = noisy_trials(8, labels, 1);
  for (const EnsembleScores& scores :
       {test_ensemble(trials, labels), cross_validate_ensemble(trials, labels, 5)}) {
    EXPECT_LT(mean(scores.average.losses), mean(scores.best.losses));
    EXPECT_GT(mean(scores.average.right), mean(scores.best.right));
  }
}

TEST(Ensemble, OfEqualTrialsIsTheTrial) {
  const std::vector<int> labels = alternating_labels(20);
  const std::vector<sweeps::Predictions> trials(4, noisy_trials(1, labels, 1).front());
  const EnsembleScores scores = cross_validate_ensemble(trials, labels, 3);
  EXPECT_THAT(scores.average.losses, Pointwise(DoubleNear(1e-9), scores.best.losses));
  EXPECT_EQ(scores.average.right, scores.best.right);
}

// Of many trials that know nothing, some are good on any images by chance. That must not be taken
// for merit: on images that did not choose them they are as bad as all.
TEST(Ensemble, CrossValidationIsNotFlattered) {
  const std::vector<int> labels = alternating_labels(40);
  const auto trials = noisy_trials(300, labels, 0);
  std::vector<double> losses;
  for (const auto& trial : trials)
    losses.push_back(mean(test_ensemble({trial}, labels).best.losses));
  const double flattered = std::ranges::min(losses);
  const double honest = mean(cross_validate_ensemble(trials, labels, 5).best.losses);
  EXPECT_LT(flattered, mean(losses) - 0.3);
  EXPECT_GT(honest, mean(losses) - 0.15);
}

TEST(Ensemble, CrossValidationIsRepeatable) {
  const std::vector<int> labels = alternating_labels(9);
  const auto trials = noisy_trials(6, labels, 1);
  EXPECT_EQ(cross_validate_ensemble(trials, labels, 2).average.losses,
            cross_validate_ensemble(trials, labels, 2).average.losses);
}

}  // namespace
}  // namespace ranksweep::results
