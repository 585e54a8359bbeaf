#include "cluster/gpus.h"

#include <cstdlib>
#include <dlfcn.h>
#include <initializer_list>
#include <utility>

#include <gmock/gmock.h>

namespace ranksweep::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

// The machine of tests/cluster/nvml_stand_in.
class VisibleGpusTest : public testing::Test {
 protected:
  // A library that is loaded already is found by its name alone.
  static void SetUpTestSuite() { ASSERT_NE(::dlopen(NVML_STAND_IN, RTLD_NOW), nullptr); }

  static VisibleGpus visible(
      const std::initializer_list<std::pair<const char*, const char*>>& environment) {
    for (const auto& [name, value] : environment) ::setenv(name, value, 1);
    VisibleGpus found = visible_gpus();
    for (const auto& [name, value] : environment) ::unsetenv(name);
    return found;
  }
  static std::vector<std::string> names(const VisibleGpus& visible) {
    std::vector<std::string> found;
    for (const Gpu& gpu : visible.gpus) found.push_back(gpu.name);
    return found;
  }
  // CUDA_VISIBLE_DEVICES on a machine with three GPUs, which NVML tells in another order.
  static std::vector<std::string> listed(const char* list) {
    return names(visible(
        {{"NVML_STAND_IN", "GPU-22@c3 GPU-1b@81 GPU-1a@1f"}, {"CUDA_VISIBLE_DEVICES", list}}));
  }
};

TEST_F(VisibleGpusTest, AreAllThatNvmlLetsThisProcessUseByPciAddress) {
  const VisibleGpus all = visible({{"NVML_STAND_IN", "GPU-c@c3 denied GPU-a@1f"}});
  EXPECT_THAT(names(all), ElementsAre("GPU-a", "GPU-c"));
  EXPECT_EQ(all.why_no_details, "");
  EXPECT_THAT(names(visible({{"NVML_STAND_IN", ""}})), IsEmpty());
}

TEST_F(VisibleGpusTest, AreThoseOfTheListUpToItsFirstInvalidEntry) {
  EXPECT_THAT(listed("2, 0"), ElementsAre("GPU-22", "GPU-1a"));
  EXPECT_THAT(listed("GPU-2,GPU-1b"), ElementsAre("GPU-22", "GPU-1b"));
  EXPECT_THAT(listed("GPU-2,GPU-1,0"), ElementsAre("GPU-22"));  // two begin so
  EXPECT_THAT(listed("1,3,0"), ElementsAre("GPU-1b"));
  EXPECT_THAT(listed("1,-1,0"), ElementsAre("GPU-1b"));
  EXPECT_THAT(listed(""), IsEmpty());
  EXPECT_THAT(listed("NoDevFiles"), IsEmpty());  // Slurm's way to say none
  EXPECT_THAT(listed("0,1,0"), IsEmpty());
  EXPECT_THAT(listed("MIG-5,MIG-6"), ElementsAre("MIG-5"));
}

TEST_F(VisibleGpusTest, KnowTheBestWayToEachOther) {
  const VisibleGpus all = visible(
      {{"NVML_STAND_IN", "GPU-a GPU-b GPU-c GPU-d GPU-e GPU-f 0-1=nvlink 0-2=20 0-3=30 0-4=40"}});
  EXPECT_THAT(
      all.gpus.at(0).near,
      UnorderedElementsAre(Pair("GPU-b", Nearness::nvlink), Pair("GPU-c", Nearness::pcie_switch),
                           Pair("GPU-d", Nearness::host_bridge), Pair("GPU-e", Nearness::numa_node),
                           Pair("GPU-f", Nearness::system)));
  EXPECT_EQ(all.gpus.at(1).near.at("GPU-a"), Nearness::nvlink);
}

TEST_F(VisibleGpusTest, AreKnownByTheEntriesAloneWithoutNvml) {
  const VisibleGpus without = visible({{"CUDA_VISIBLE_DEVICES", "5,GPU-1,x,2"}});
  EXPECT_THAT(names(without), ElementsAre("5", "GPU-1"));
  EXPECT_THAT(without.gpus.at(0).near, IsEmpty());
  EXPECT_EQ(without.why_no_details, "NVML: Driver Not Loaded");
}

TEST_F(VisibleGpusTest, AreKnownByTheEntriesAloneWhereCudaCountsInAnotherOrder) {
  const VisibleGpus other = visible({{"NVML_STAND_IN", "GPU-a GPU-b"},
                                     {"CUDA_VISIBLE_DEVICES", "1"},
                                     {"CUDA_DEVICE_ORDER", "FASTEST_FIRST"}});
  EXPECT_THAT(names(other), ElementsAre("1"));
  EXPECT_THAT(other.why_no_details, HasSubstr("FASTEST_FIRST"));
}

}  // namespace
}  // namespace ranksweep::cluster
