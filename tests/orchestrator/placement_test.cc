#include "orchestrator/placement.h"

#include <limits>
#include <string>

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

TEST(FreeRanks, ChoosesTheHostWhereTheFewestAreLeftOver) {
  EXPECT_THAT(FreeRanks(kTwoCpuHosts).choose(2), ElementsAre(0, 1));
  EXPECT_THAT(FreeRanks(kTwoCpuHosts).choose(3), ElementsAre(2, 3, 4));
  EXPECT_THAT(FreeRanks(kTwoCpuHosts).choose(1), ElementsAre(0));
}

TEST(FreeRanks, ChoosesNeighbours) {
  EXPECT_THAT(FreeRanks({{5, "a", "cpu"}, {2, "a", "cpu"}, {3, "a", "cpu"}}).choose(2),
              ElementsAre(2, 3));
}

TEST(FreeRanks, LetsGpusSpanHostsAndCpusNot) {
  EXPECT_THAT(FreeRanks(kTwoCpuHosts).choose(4), IsEmpty());
  EXPECT_THAT(FreeRanks(kTwoGpuHosts).choose(4), ElementsAre(2, 3, 4, 0));
  EXPECT_THAT(FreeRanks(kTwoGpuHosts).choose(6), IsEmpty());
}

TEST(FreeRanks, MixesNoKindsOfDevices) {
  EXPECT_THAT(FreeRanks({{0, "a", "cpu"}, {1, "a", "cuda:0"}}).choose(2), IsEmpty());
}

// Two ranks share each GPU of a host.
const std::vector<RankPlace> kSharedGpus = {
    {0, "a", "cuda:0"}, {1, "a", "cuda:0"}, {2, "a", "cuda:1"}, {3, "a", "cuda:1"}};

TEST(FreeRanks, GivesAGroupOneRankOfEachGpu) {
  FreeRanks free(kSharedGpus);
  EXPECT_THAT(free.choose(2), ElementsAre(0, 2));
  EXPECT_THAT(free.choose(3), IsEmpty());
  free.take(2);
  EXPECT_THAT(free.choose(2), ElementsAre(0, 3));
  free.take(3);
  EXPECT_THAT(free.choose(2), IsEmpty());
  EXPECT_EQ(most_devices(kSharedGpus), 2);
  EXPECT_THAT(reserve_ranks(kSharedGpus, 2).ranks, ElementsAre(0, 2));
}

// Of a host's four, two pairs have NVLink: those of ranks 0 and 2, and of 1 and 3.
const std::vector<cluster::Gpu> kPairs = {{"a", {{"c", cluster::Nearness::nvlink}}},
                                          {"b", {{"d", cluster::Nearness::nvlink}}},
                                          {"c", {{"a", cluster::Nearness::nvlink}}},
                                          {"d", {{"b", cluster::Nearness::nvlink}}}};

std::vector<RankPlace> on_pairs(const std::string& host) {
  std::vector<RankPlace> places;
  for (const cluster::Gpu& gpu : kPairs) {
    const int number = static_cast<int>(places.size());
    places.push_back({number, host, "cuda:" + std::to_string(number), 0, &gpu});
  }
  return places;
}

TEST(FreeRanks, ChoosesGpusThatAreNearToOneAnother) {
  FreeRanks free(on_pairs("a"));
  EXPECT_THAT(free.choose(2), ElementsAre(0, 2));
  EXPECT_THAT(free.choose(1), ElementsAre(0));
  free.take(2);
  EXPECT_THAT(free.choose(2), ElementsAre(1, 3));
  EXPECT_THAT(free.choose(3), ElementsAre(0, 1, 3));
}

TEST(FreeRanks, ChoosesThemOnTheLastOfSeveralHostsToo) {
  std::vector<RankPlace> places = on_pairs("a");
  for (int rank = 4; rank < 9; ++rank) {
    places.push_back({rank, "b", "cuda:" + std::to_string(rank)});
  }
  EXPECT_THAT(FreeRanks(places).choose(7), ElementsAre(4, 5, 6, 7, 8, 0, 2));
}

TEST(FreeRanks, TellsGpusApartByTheirNames) {
  const cluster::Gpu one{.name = "GPU-1"};
  const cluster::Gpu other{.name = "GPU-2"};
  const RankPlace first{0, "a", "cuda:0", 0, &one};
  // Each rank has CUDA show it one GPU alone.
  EXPECT_THAT(FreeRanks({first, {1, "a", "cuda:0", 0, &other}}).choose(2), ElementsAre(0, 1));
  // Two ranks have CUDA show them one GPU in another place.
  EXPECT_THAT(FreeRanks({first, {1, "a", "cuda:1", 0, &one}}).choose(2), IsEmpty());
}

TEST(FreeRanks, ForgetsWhatIsTaken) {
  FreeRanks free(kTwoCpuHosts);
  free.take(3);
  EXPECT_THAT(free.choose(3), IsEmpty());
  EXPECT_THAT(free.choose(2), ElementsAre(0, 1));
  free.take_host_of(0);
  EXPECT_EQ(free.first(), 2);
  free.take(0);
  free.take(2);
  free.take(4);
  EXPECT_TRUE(free.empty());
}

constexpr double kNotKnown = std::numeric_limits<double>::infinity();

std::vector<RankPlace> free_in(std::vector<RankPlace> places, const std::vector<double>& seconds) {
  for (std::size_t i = 0; i < places.size(); ++i) places[i].free_in_s = seconds[i];
  return places;
}

TEST(ReserveRanks, KeepsTheHostThatIsFreeFirst) {
  const Reservation kept = reserve_ranks(free_in(kTwoCpuHosts, {0, 9, 7, 5, 6}), 2);
  EXPECT_THAT(kept.ranks, ElementsAre(3, 4));  // the third may go on
  EXPECT_EQ(kept.free_in_s, 6);
  EXPECT_THAT(reserve_ranks(free_in(kTwoCpuHosts, {0, 4, 7, 5, 6}), 2).ranks, ElementsAre(0, 1));
}

TEST(ReserveRanks, KeepsTheHostThatLacksTheFewestWhereNothingIsKnown) {
  const auto places = free_in(kTwoCpuHosts, {0, kNotKnown, kNotKnown, 0, 0});
  const Reservation kept = reserve_ranks(places, 3);
  EXPECT_THAT(kept.ranks, ElementsAre(2, 3, 4));
  EXPECT_EQ(kept.free_in_s, kNotKnown);
}

TEST(ReserveRanks, KeepsNothingForWhatCanNeverStart) {
  EXPECT_THAT(reserve_ranks(kTwoCpuHosts, 4).ranks, IsEmpty());
  EXPECT_THAT(reserve_ranks(kTwoGpuHosts, 5).ranks, ElementsAre(0, 1, 2, 3, 4));
}

TEST(MostDevices, IsOfOneHostForCpusAndOfAllForGpus) {
  EXPECT_EQ(most_devices(kTwoCpuHosts), 3);
  EXPECT_EQ(most_devices(kTwoGpuHosts), 5);
  EXPECT_EQ(most_devices({}), 0);
}

}  // namespace
}  // namespace ranksweep::orchestrator
