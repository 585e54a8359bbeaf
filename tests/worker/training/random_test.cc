#include "worker/training/random.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

TEST(EpochOrder, IsAPermutation) {
  auto order = epoch_order(700, 3, 5);
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> all(700);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
}

// Other machines and later versions must shuffle alike, or resumed sweeps would change.
TEST(EpochOrder, IsAlwaysTheSame) {
  EXPECT_EQ(epoch_order(8, 1, 2), epoch_order(8, 1, 2));
  EXPECT_EQ(epoch_order(8, 1, 2), (std::vector<std::int64_t>{0, 5, 4, 3, 7, 1, 2, 6}));
}

TEST(EpochOrder, DependsOnSeedAndEpoch) {
  EXPECT_NE(epoch_order(50, 1, 2), epoch_order(50, 1, 3));
  EXPECT_NE(epoch_order(50, 1, 2), epoch_order(50, 2, 2));
}

TEST(EpochOrder, PutsEveryImageEverywhere) {
  // Each of 4 images stands first in about a quarter of 4000 orders.
  std::array<int, 4> first = {};
  for (int epoch = 0; epoch < 4000; ++epoch) ++first.at(epoch_order(4, 9, epoch)[0]);
  for (const int count : first) EXPECT_NEAR(count, 1000, 150);
}

TEST(Mix, TellsPartsAndTheirOrderApart) {
  EXPECT_NE(mix({1, 2}), mix({2, 1}));
  EXPECT_NE(mix({1}), mix({1, 0}));
}

}  // namespace
}  // namespace ranksweep::worker
