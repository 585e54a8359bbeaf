#include "orchestrator/nearest_gpus.h"

#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>

namespace ranksweep::orchestrator {
namespace {

using cluster::Nearness;
using testing::ElementsAre;

// So many GPUs, these pairs as near as that, all others the farthest.
class Host {
 public:
  Host(std::size_t gpus, const std::map<std::pair<std::size_t, std::size_t>, Nearness>& pairs)
      : gpus_(gpus) {
    for (std::size_t i = 0; i < gpus; ++i) gpus_[i].name = std::to_string(i);
    for (std::size_t i = 0; i < gpus; ++i) {
      for (std::size_t j = 0; j < gpus; ++j) {
        const auto found = pairs.find(std::minmax(i, j));
        gpus_[i].near[gpus_[j].name] = found == pairs.end() ? Nearness::system : found->second;
      }
    }
  }
  std::vector<std::size_t> nearest(std::size_t wanted) const {
    std::vector<const cluster::Gpu*> all;
    for (const cluster::Gpu& gpu : gpus_) all.push_back(&gpu);
    return nearest_gpus(all, wanted);
  }

 private:
  std::vector<cluster::Gpu> gpus_;
};

TEST(NearestGpus, AreAPairWithNvlink) {
  const Host host(4, {{{0, 1}, Nearness::pcie_switch}, {{1, 3}, Nearness::nvlink}});
  EXPECT_THAT(host.nearest(2), ElementsAre(1, 3));
  EXPECT_THAT(host.nearest(3), ElementsAre(0, 1, 3));
  EXPECT_THAT(host.nearest(4), ElementsAre(0, 1, 2, 3));
}

TEST(NearestGpus, ArePairsThatAreWhole) {
  // The first one's neighbour is at work.
  const Host host(5, {{{1, 2}, Nearness::nvlink}, {{3, 4}, Nearness::nvlink}});
  EXPECT_THAT(host.nearest(4), ElementsAre(1, 2, 3, 4));
}

TEST(NearestGpus, AreTheFirstOnesWhereAllAreEquallyNear) {
  EXPECT_THAT(Host(16, {}).nearest(8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(nearest_gpus({nullptr, nullptr, nullptr}, 2), ElementsAre(0, 1));
  EXPECT_THAT(nearest_gpus(std::vector<const cluster::Gpu*>(1000), 3), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace ranksweep::orchestrator
