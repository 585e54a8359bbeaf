#include "orchestrator/lease.h"

#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LeaseTest : public testing::Test {
 protected:
  // Looks every half second, as one who runs does.
  bool expires_within(milliseconds time) {
    bool expired = false;
    for (milliseconds passed{0}; passed < time; passed += milliseconds(500)) {
      now_ += milliseconds(500);
      expired = lease_.expired(now_) || expired;
    }
    return expired;
  }

  Clock::time_point now_ = Clock::time_point(seconds(1000));
  Lease lease_{seconds(30)};
};

TEST_F(LeaseTest, RunsOutAfterItsLengthFromTheFirstLook) {
  EXPECT_FALSE(lease_.expired(now_));
  EXPECT_FALSE(expires_within(seconds(30)));
  EXPECT_TRUE(expires_within(milliseconds(500)));
}

TEST_F(LeaseTest, StartsAnewWhenRenewed) {
  EXPECT_FALSE(expires_within(seconds(29)));
  lease_.renew(now_);
  EXPECT_FALSE(expires_within(seconds(30)));
  EXPECT_TRUE(expires_within(seconds(1)));
}

TEST_F(LeaseTest, TimeInWhichNobodyLookedCountsASecond) {
  lease_.renew(now_);
  now_ += seconds(3600);
  EXPECT_FALSE(lease_.expired(now_));
  EXPECT_FALSE(expires_within(seconds(29)));
  EXPECT_TRUE(expires_within(seconds(1)));
}

}  // namespace
}  // namespace ranksweep::orchestrator
