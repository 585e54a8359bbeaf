#include "orchestrator/device_health.h"

#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

class DeviceHealthTest : public testing::Test {
 protected:
  void break_trials(std::initializer_list<std::size_t> trials) {
    for (const std::size_t trial : trials) {
      health_.broke(trial, ++attempt_);
    }
  }
  DeviceHealth health_;
  sweeps::AttemptId attempt_ = 0;
};

TEST_F(DeviceHealthTest, OneBrokenAttemptIsChance) {
  break_trials({7});
  EXPECT_FALSE(health_.avoids(7));
  EXPECT_FALSE(health_.wants_smallest());
  EXPECT_FALSE(health_.quarantined());
}

TEST_F(DeviceHealthTest, ATrialThatBreaksAgainAndAgainIsNoFaultOfTheDevice) {
  break_trials({7, 7, 7, 7});
  EXPECT_TRUE(health_.avoids(7));
  EXPECT_FALSE(health_.avoids(8));
  EXPECT_FALSE(health_.wants_smallest());
  EXPECT_FALSE(health_.quarantined());
}

TEST_F(DeviceHealthTest, ThreeDifferentTrialsInARowAre) {
  break_trials({7, 7, 8});
  EXPECT_TRUE(health_.wants_smallest());
  EXPECT_FALSE(health_.quarantined());
  break_trials({9});
  EXPECT_TRUE(health_.quarantined());
  ASSERT_EQ(health_.broken().size(), 4u);
  EXPECT_EQ(health_.broken().back().trial, 9u);
  EXPECT_EQ(health_.broken().back().attempt, 4);
}

TEST_F(DeviceHealthTest, AnEpochClearsItsName) {
  break_trials({7, 8});
  health_.did_well();
  break_trials({9});
  EXPECT_FALSE(health_.quarantined());
  EXPECT_FALSE(health_.avoids(7));
}

}  // namespace
}  // namespace ranksweep::orchestrator
