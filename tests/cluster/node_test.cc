#include "cluster/node.h"

#include <cstdlib>

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

TEST(Node, VisibleDevicesAreTheGpusOfThisProcess) {
  const auto gpus_with = [](const char* devices) {
    ::setenv("CUDA_VISIBLE_DEVICES", devices, 1);
    const int gpus = gpus_of_node();
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    return gpus;
  };
  EXPECT_EQ(gpus_with(""), 0);
  EXPECT_EQ(gpus_with("3"), 1);
  EXPECT_EQ(gpus_with("GPU-0a,GPU-1b,GPU-2c"), 3);
}

}  // namespace
}  // namespace ranksweep::cluster
