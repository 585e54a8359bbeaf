// A device that breaks whatever trial it is given is given no more, and no trial suffers for it.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/coordinator_case.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::TrialState;
using testing::HasSubstr;

class QuarantineTest : public CoordinatorCase {
 protected:
  // The trial that `rank` was given; breaks the attempt at it.
  std::size_t break_trial_on(cluster::Rank rank) {
    const auto assign = only_command_to<cluster::Assign>(rank);
    receive(rank, AttemptBroken{.attempt = assign.attempt,
                                .cause = "signal 11 (SIGSEGV)",
                                .message = "the trainer ended in mid-trial"});
    flush();
    return index_of(assign.trial);
  }
  std::size_t index_of(const sweeps::TrialId& id) const {
    return static_cast<std::size_t>(std::ranges::find(plan_.trials, id, &sweeps::PlannedTrial::id) -
                                    plan_.trials.begin());
  }
};

TEST_F(QuarantineTest, ADeviceThatBreaksDifferentTrialsIsGivenNoMoreAndItsTrialsGoElsewhere) {
  start(5, 2);
  flush();
  EXPECT_EQ(break_trial_on(0), 0u);
  EXPECT_EQ(break_trial_on(0), 0u);  // chance is the likeliest cause, so the same again
  EXPECT_EQ(break_trial_on(0), 2u);  // then another
  EXPECT_EQ(break_trial_on(0), 4u);  // and the smallest
  EXPECT_TRUE(sent_to(0).empty());
  EXPECT_EQ(listener_.quarantined, (std::vector<cluster::Rank>{0}));
  ASSERT_EQ(events("quarantined").size(), 1u);
  EXPECT_THAT(events("quarantined")[0], HasSubstr("cpu on node is quarantined"));
  EXPECT_THAT(events("quarantined")[0], HasSubstr("signal 11 (SIGSEGV)"));
  for (int i = 0; i < 5; ++i) {
    finish_trial_on(1);
  }
  EXPECT_TRUE(coordinator_->done());
  EXPECT_EQ(coordinator_->ledger().counts().finished, 5);
  for (std::size_t trial = 0; trial < 5; ++trial) {
    EXPECT_EQ(store_->trial(trial).failed_attempts, 0) << trial;
  }
}

TEST_F(QuarantineTest, ATrialThatWasGivenUpOnABadDeviceWaitsAgain) {
  execution_.max_attempts = 1;
  start(4, 2);
  flush();
  break_trial_on(0);
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  break_trial_on(0);
  break_trial_on(0);
  EXPECT_EQ(store_->trial(0).state, TrialState::pending);
  for (int i = 0; i < 4; ++i) {
    finish_trial_on(1);
  }
  EXPECT_EQ(coordinator_->ledger().counts().finished, 4);
}

TEST_F(QuarantineTest, PoisonTrialsAreNoFaultOfTheDevicesThatTrainOthersBetweenThem) {
  start(5, 1);
  flush();
  const auto is_poison = [](std::size_t trial) { return trial < 3; };
  while (!coordinator_->done()) {
    const auto trial = index_of(
        std::get<cluster::Assign>(
            std::get<cluster::Command>(decode_coordinator_message(transport_->sent.at(0).second)))
            .trial);
    is_poison(trial) ? void(break_trial_on(0)) : finish_trial_on(0);
    if (coordinator_->ledger().complete()) {
      break;
    }
  }
  EXPECT_TRUE(listener_.quarantined.empty());
  EXPECT_EQ(coordinator_->ledger().counts().failed, 3);
  EXPECT_EQ(coordinator_->ledger().counts().finished, 2);
}

TEST_F(QuarantineTest, WithoutADeviceLeftTheSweepStopsAndTellsWhy) {
  start(4, 1);
  flush();
  break_trial_on(0);
  break_trial_on(0);
  break_trial_on(0);
  try {
    break_trial_on(0);
    FAIL() << "it went on";
  } catch (const NoDeviceLeft& error) {
    EXPECT_THAT(error.what(), HasSubstr("signal 11 (SIGSEGV)"));
    EXPECT_THAT(error.what(), HasSubstr("run the same command again"));
  }
  for (std::size_t trial = 0; trial < 4; ++trial) {
    EXPECT_EQ(store_->trial(trial).state, TrialState::pending);
    EXPECT_EQ(store_->trial(trial).failed_attempts, 0);
  }
}

TEST_F(QuarantineTest, ATrialThatBrokeTwiceWaitsForAnotherDevice) {
  start(2, 2);
  flush();
  break_trial_on(0);
  break_trial_on(0);
  EXPECT_TRUE(sent_to(0).empty());
  finish_trial_on(1);
  finish_trial_on(1);
  EXPECT_EQ(coordinator_->ledger().counts().finished, 2);
}

}  // namespace
}  // namespace ranksweep::orchestrator
