#include "worker/data/leakage.h"

#include <map>

#include <fmt/format.h>

namespace ranksweep::worker {

std::vector<std::string> find_leakage(const DataSet& data, const FileHashes& hashes) {
  struct First {
    std::size_t split;
    const Sample* sample;
  };
  std::vector<std::string> found;
  std::map<std::string, First> by_group;
  std::map<std::uint64_t, First> by_hash;
  const std::vector<NamedSplit> splits = splits_of(data);
  for (std::size_t s = 0; s < splits.size(); ++s) {
    for (std::size_t i = 0; i < splits[s].samples->size(); ++i) {
      const Sample& sample = (*splits[s].samples)[i];
      if (!sample.group.empty()) {
        const auto [group, is_new] = by_group.try_emplace(sample.group, First{s, &sample});
        if (!is_new && group->second.split != s) {
          found.push_back(fmt::format("the group {} is in {} and in {}", sample.group,
                                      splits[group->second.split].name, splits[s].name));
          group->second.split = s;  // said once for each pair of splits
        }
      }
      if (hashes[s][i] == kUnreadable) continue;
      const auto [file, is_new] = by_hash.try_emplace(hashes[s][i], First{s, &sample});
      if (!is_new && file->second.split != s) {
        found.push_back(fmt::format("{} ({}) and {} ({}) have the same bytes",
                                    file->second.sample->name, splits[file->second.split].name,
                                    sample.name, splits[s].name));
      }
    }
  }
  return found;
}

}  // namespace ranksweep::worker
