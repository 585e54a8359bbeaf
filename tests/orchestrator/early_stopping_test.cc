#include "orchestrator/early_stopping.h"

#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

using cluster::Decision;
using sweeps::EarlyStopping;

std::vector<sweeps::EpochMetrics> epochs_with(const std::vector<double>& losses) {
  std::vector<sweeps::EpochMetrics> epochs;
  for (const double loss : losses) {
    epochs.push_back({.epoch = static_cast<int>(epochs.size()) + 1, .val_loss = loss});
  }
  return epochs;
}

TEST(EarlyStopping, TheLastEpochEndsATrial) {
  EXPECT_EQ(decide(3, std::nullopt, epochs_with({3, 2})), Decision::go_on);
  EXPECT_EQ(decide(3, std::nullopt, epochs_with({3, 2, 1})), Decision::stop);
}

TEST(EarlyStopping, PatienceCountsEpochsSinceTheBest) {
  const EarlyStopping two{.patience = 2};
  EXPECT_EQ(decide(30, two, epochs_with({})), Decision::go_on);
  EXPECT_EQ(decide(30, two, epochs_with({1, 2})), Decision::go_on);
  EXPECT_EQ(decide(30, two, epochs_with({1, 2, 1.5})), Decision::stop);
  EXPECT_EQ(decide(30, two, epochs_with({1, 2, 0.5, 0.6})), Decision::go_on);
}

TEST(EarlyStopping, AnEqualLossIsNoImprovement) {
  EXPECT_EQ(decide(30, EarlyStopping{.patience = 1}, epochs_with({1, 1})), Decision::stop);
}

TEST(EarlyStopping, AnImprovementSmallerThanMinDeltaIsNone) {
  const EarlyStopping rule{.patience = 1, .min_delta = 0.1};
  EXPECT_EQ(decide(30, rule, epochs_with({1, 0.95})), Decision::stop);
  EXPECT_EQ(decide(30, rule, epochs_with({1, 0.85})), Decision::go_on);
}

// The study's simple CNN: best at epoch 12, the log ends at 22.
TEST(EarlyStopping, PatienceTenEndsTheStudysSimpleCnnAtEpoch22) {
  std::vector<double> losses(12, 0);
  for (int i = 0; i < 12; ++i) {
    losses[static_cast<std::size_t>(i)] = 1 - 0.05 * i;
  }
  losses.resize(21, 0.9);
  EXPECT_EQ(decide(30, EarlyStopping{}, epochs_with(losses)), Decision::go_on);
  losses.push_back(0.9);
  EXPECT_EQ(decide(30, EarlyStopping{}, epochs_with(losses)), Decision::stop);
}

}  // namespace
}  // namespace ranksweep::orchestrator
