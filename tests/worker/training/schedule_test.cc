#include "worker/training/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;

// The factors of epochs 1 to `epochs`, where epoch i had the validation loss losses[i - 1].
std::vector<double> factors(const sweeps::Schedule& schedule, int epochs,
                            const std::vector<double>& losses = {}) {
  sweeps::TrialSpec spec;
  spec.epochs = epochs;
  spec.schedule = schedule;
  std::vector<sweeps::EpochMetrics> history;
  for (const double loss : losses) {
    history.push_back({.epoch = static_cast<int>(history.size()) + 1, .val_loss = loss});
  }
  std::vector<double> all;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    all.push_back(schedule_factor(spec, epoch, history));
  }
  return all;
}

TEST(Schedule, Constant) {
  EXPECT_THAT(factors(sweeps::ConstantSchedule{}, 3), ElementsAre(1, 1, 1));
}

TEST(Schedule, StepMultipliesAfterEverySoManyEpochs) {
  EXPECT_THAT(factors(sweeps::StepSchedule{.every = 2, .factor = 0.5}, 6),
              ElementsAre(1, 1, 0.5, 0.5, 0.25, 0.25));
}

TEST(Schedule, CosineGoesFromOneTowardsTheMinimum) {
  EXPECT_THAT(factors(sweeps::CosineSchedule{.warmup_epochs = 0, .minimum = 0.2}, 4),
              ElementsAre(DoubleEq(1), DoubleNear(0.2 + 0.8 * 0.853553390593274, 1e-12),
                          DoubleEq(0.6), DoubleNear(0.2 + 0.8 * 0.146446609406726, 1e-12)));
}

TEST(Schedule, CosineWarmsUpLinearly) {
  EXPECT_THAT(factors(sweeps::CosineSchedule{.warmup_epochs = 4, .minimum = 0}, 6),
              ElementsAre(0.25, 0.5, 0.75, 1, DoubleEq(1), DoubleEq(0.5)));
}

TEST(Schedule, WarmingUpLongerThanTheTrialIsAllowed) {
  EXPECT_THAT(factors(sweeps::CosineSchedule{.warmup_epochs = 4, .minimum = 0}, 2),
              ElementsAre(0.25, 0.5));
}

TEST(Schedule, PlateauWaitsForALossThatFallsByMoreThanMinDelta) {
  const sweeps::PlateauSchedule plateau{.patience = 2, .factor = 0.1, .min_delta = 0.1};
  EXPECT_THAT(factors(plateau, 8, {1, 0.95, 0.91, 0.8, 0.9, 0.8, 0.8, 0.1}),
              ElementsAre(1, 1, 1, DoubleEq(0.1), DoubleEq(0.1), DoubleEq(0.1), DoubleEq(0.01),
                          DoubleEq(0.01)));
}

TEST(Schedule, PlateauIgnoresLaterEpochs) {
  const sweeps::PlateauSchedule plateau{.patience = 1, .factor = 0.1, .min_delta = 0};
  EXPECT_THAT(factors(plateau, 2, {1, 2, 3}), ElementsAre(1, 1));
}

}  // namespace
}  // namespace ranksweep::worker
