#include "tools/cli/device_choice.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cluster/transport.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

constexpr bool kWithCuda = RANKSWEEP_WITH_CUDA;

using Ranks = std::vector<std::size_t>;

Ranks in_turn(const std::vector<RankGpus>& all) {
  Ranks ranks(all.size());
  std::iota(ranks.begin(), ranks.end(), 0);
  std::ranges::stable_sort(ranks, {}, [&](std::size_t rank) { return all[rank].gpus.size(); });
  return ranks;
}

CommandError has_none(std::size_t rank, const std::string& host) {
  return {ExitCode::unfit,
          fmt::format("{}: rank {} has no GPU: {}choose --device cpu{}", host, rank,
                      kWithCuda ? "see what `ranksweep doctor` says there, or " : "",
                      kWithCuda ? "" : " (this ranksweep was built without CUDA)")};
}

CommandError too_many(const std::vector<RankGpus>& all, const std::string& host,
                      const std::string& gpu, const Ranks& sharing) {
  std::set<std::string> gpus;
  for (const RankGpus& each : all) {
    if (each.host == host) gpus.insert(each.gpus.begin(), each.gpus.end());
  }
  return {ExitCode::unfit,
          fmt::format("{} has {} and {}, and ranks {} would share {}: start one rank a GPU, let {} "
                      "of them share one with --trials-per-gpu {}, or choose --device cpu",
                      host, count_text(std::ssize(gpus), "GPU"),
                      count_text(std::ranges::count(all, host, &RankGpus::host), "rank"),
                      fmt::join(sharing, ", "), gpu, sharing.size(), sharing.size())};
}

}  // namespace

std::vector<cluster::Gpu> usable_gpus() {
  return kWithCuda ? cluster::visible_gpus().gpus : std::vector<cluster::Gpu>();
}

std::vector<std::optional<std::size_t>> choose_gpus(const std::string& wish,
                                                    const std::vector<RankGpus>& ranks,
                                                    int trials_per_gpu) {
  std::vector<std::optional<std::size_t>> choices(ranks.size());
  if (wish == "cpu") return choices;
  std::map<std::pair<std::string, std::string>, Ranks> takers;  // by host and GPU
  for (const std::size_t rank : in_turn(ranks)) {
    const auto& [host, gpus] = ranks[rank];
    if (gpus.empty()) {
      if (wish == "cuda") throw has_none(rank, host);
      continue;
    }
    const auto chosen = std::ranges::min_element(gpus, {}, [&, &on = host](const auto& gpu) {
      return takers[{on, gpu}].size();
    });
    takers[{host, *chosen}].push_back(rank);
    choices[rank] = static_cast<std::size_t>(chosen - gpus.begin());
  }
  const auto fullest =
      std::ranges::max_element(takers, {}, [](const auto& entry) { return entry.second.size(); });
  if (fullest != takers.end() && std::ssize(fullest->second) > trials_per_gpu) {
    const auto& [host, gpu] = fullest->first;
    throw too_many(ranks, host, gpu, fullest->second);
  }
  return choices;
}

}  // namespace ranksweep::cli
