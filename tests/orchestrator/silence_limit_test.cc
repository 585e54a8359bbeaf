#include "orchestrator/silence_limit.h"

#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

TEST(SilenceLimit, IsWhatTheSweepWants) {
  EXPECT_EQ(silence_limit(5, std::nullopt).count(), 5);
  EXPECT_EQ(silence_limit(5, 300).count(), 5);
}

TEST(SilenceLimit, IsWideBeforeTheFirstEpochAndThenTenEpochsWithinBounds) {
  EXPECT_EQ(silence_limit({}, {}).count(), 600);
  EXPECT_EQ(silence_limit({}, 0.5).count(), 120);
  EXPECT_EQ(silence_limit({}, 20).count(), 200);
  EXPECT_EQ(silence_limit({}, 3600).count(), 600);
}

}  // namespace
}  // namespace ranksweep::orchestrator
