#include "cluster/node.h"

#include <gtest/gtest.h>

namespace ranksweep::cluster {
namespace {

TEST(Node, TrainersShareTheCoresAndNoneGoesWithout) {
  EXPECT_EQ(threads_for_each(8, 1), 8);
  EXPECT_EQ(threads_for_each(8, 3), 2);
  EXPECT_EQ(threads_for_each(2, 3), 1);
}

TEST(Node, WithoutALauncherOurOwnCoresCount) {
  EXPECT_FALSE(started_by_open_mpi());
  EXPECT_GE(cores_of_node(), 1);
  EXPECT_FALSE(host_name().empty());
}

}  // namespace
}  // namespace ranksweep::cluster
