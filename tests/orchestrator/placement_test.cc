#include "orchestrator/placement.h"

#include <gmock/gmock.h>

namespace ranksweep::orchestrator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<RankPlace> kTwoCpuHosts = {
    {0, "a", "cpu"}, {1, "a", "cpu"}, {2, "b", "cpu"}, {3, "b", "cpu"}, {4, "b", "cpu"}};
const std::vector<RankPlace> kTwoGpuHosts = {{0, "a", "cuda:0"},
                                             {1, "a", "cuda:1"},
                                             {2, "b", "cuda:0"},
                                             {3, "b", "cuda:1"},
                                             {4, "b", "cuda:2"}};

TEST(ChooseRanks, TakesTheHostWhereTheFewestAreLeftOver) {
  EXPECT_THAT(choose_ranks(kTwoCpuHosts, 2), ElementsAre(0, 1));
  EXPECT_THAT(choose_ranks(kTwoCpuHosts, 3), ElementsAre(2, 3, 4));
  EXPECT_THAT(choose_ranks(kTwoCpuHosts, 1), ElementsAre(0));
}

TEST(ChooseRanks, TakesNeighbours) {
  EXPECT_THAT(choose_ranks({{5, "a", "cpu"}, {2, "a", "cpu"}, {3, "a", "cpu"}}, 2),
              ElementsAre(2, 3));
}

TEST(ChooseRanks, LetsGpusSpanHostsAndCpusNot) {
  EXPECT_THAT(choose_ranks(kTwoCpuHosts, 4), IsEmpty());
  EXPECT_THAT(choose_ranks(kTwoGpuHosts, 4), ElementsAre(2, 3, 4, 0));
  EXPECT_THAT(choose_ranks(kTwoGpuHosts, 6), IsEmpty());
}

TEST(ChooseRanks, MixesNoKindsOfDevices) {
  EXPECT_THAT(choose_ranks({{0, "a", "cpu"}, {1, "a", "cuda:0"}}, 2), IsEmpty());
}

TEST(ReserveRanks, KeepsTheHostThatLacksTheFewest) {
  const std::vector<RankPlace> free = {kTwoCpuHosts[0], kTwoCpuHosts[3], kTwoCpuHosts[4]};
  EXPECT_THAT(reserve_ranks(free, kTwoCpuHosts, 3), ElementsAre(3, 4));
  EXPECT_THAT(reserve_ranks({kTwoCpuHosts[0]}, kTwoCpuHosts, 2), ElementsAre(0));
}

TEST(ReserveRanks, KeepsNothingForWhatCanNeverStart) {
  EXPECT_THAT(reserve_ranks(kTwoCpuHosts, kTwoCpuHosts, 4), IsEmpty());
  EXPECT_THAT(reserve_ranks({kTwoGpuHosts[0]}, kTwoGpuHosts, 5), ElementsAre(0));
}

TEST(MostDevices, IsOfOneHostForCpusAndOfAllForGpus) {
  EXPECT_EQ(most_devices(kTwoCpuHosts), 3);
  EXPECT_EQ(most_devices(kTwoGpuHosts), 5);
  EXPECT_EQ(most_devices({}), 0);
}

}  // namespace
}  // namespace ranksweep::orchestrator
