#include "orchestrator/placement.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ranksweep::orchestrator {
namespace {

using cluster::Rank;
using Ranks = std::vector<Rank>;

struct Pool {  // ranks that a group may be made of without leaving the host
  std::string host;
  bool gpus = false;
  auto operator<=>(const Pool&) const = default;
};

std::map<Pool, Ranks> by_pool(const std::vector<RankPlace>& places) {
  std::map<Pool, Ranks> pools;
  for (const RankPlace& place : places) {
    pools[{place.host, place.device != "cpu"}].push_back(place.rank);
  }
  for (auto& [pool, ranks] : pools) std::ranges::sort(ranks);
  return pools;
}

// All GPUs, those of the hosts with most of them first.
Ranks gpus_of(const std::map<Pool, Ranks>& pools) {
  std::vector<const Ranks*> hosts;
  for (const auto& [pool, ranks] : pools) {
    if (pool.gpus) hosts.push_back(&ranks);
  }
  std::ranges::stable_sort(hosts, std::greater(), [](const Ranks* ranks) { return ranks->size(); });
  Ranks all;
  for (const Ranks* ranks : hosts) all.insert(all.end(), ranks->begin(), ranks->end());
  return all;
}

}  // namespace

Ranks choose_ranks(const std::vector<RankPlace>& free, int devices) {
  const auto wanted = static_cast<std::size_t>(devices);
  const auto pools = by_pool(free);
  const Ranks* best = nullptr;
  for (const auto& [pool, ranks] : pools) {
    const bool better = best == nullptr || std::pair(ranks.size(), ranks.front()) <
                                               std::pair(best->size(), best->front());
    if (ranks.size() >= wanted && better) best = &ranks;
  }
  Ranks chosen = best != nullptr ? *best : gpus_of(pools);
  if (chosen.size() < wanted) return {};
  chosen.resize(wanted);
  return chosen;
}

std::set<Rank> reserve_ranks(const std::vector<RankPlace>& free,
                             const std::vector<RankPlace>& living, int devices) {
  const auto wanted = static_cast<std::size_t>(devices);
  auto free_pools = by_pool(free);
  const auto living_pools = by_pool(living);
  const Ranks* best = nullptr;
  for (const auto& [pool, ranks] : living_pools) {
    const Ranks& idle = free_pools[pool];
    if (ranks.size() >= wanted && (best == nullptr || idle.size() > best->size())) best = &idle;
  }
  if (best != nullptr) return {best->begin(), best->end()};
  if (gpus_of(living_pools).size() < wanted) return {};
  const Ranks gpus = gpus_of(free_pools);
  return {gpus.begin(), gpus.end()};
}

int most_devices(const std::vector<RankPlace>& living) {
  const auto pools = by_pool(living);
  std::size_t most = gpus_of(pools).size();
  for (const auto& [pool, ranks] : pools) most = std::max(most, ranks.size());
  return static_cast<int>(most);
}

}  // namespace ranksweep::orchestrator
