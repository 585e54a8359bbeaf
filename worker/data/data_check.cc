#include "worker/data/data_check.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "worker/data/file_bytes.h"
#include "worker/data/fingerprint.h"
#include "worker/data/image.h"
#include "worker/data/near_duplicates.h"
#include "worker/data/parallel.h"

namespace ranksweep::worker {
namespace {

// A sample with its split and what its file holds.
struct Seen {
  const Sample* sample;
  const char* split;
  std::uint64_t hash = kUnreadable;
  std::optional<Look> look;  // none: bad
  std::string reason;
};

void look_at(Seen& seen) {
  try {
    const std::vector<std::uint8_t> bytes = read_file(seen.sample->path);
    seen.hash = content_hash(bytes);
    seen.look = make_look(decode_image(bytes, Look::kRows, Look::kColumns));
  } catch (const ImageError& error) {
    seen.reason = error.what();
  }
}

DataReport::Split count_split(const NamedSplit& split, std::size_t classes) {
  DataReport::Split counts{split.name, std::vector<std::size_t>(classes), 0};
  std::set<std::string> groups;
  for (const Sample& sample : *split.samples) {
    ++counts.by_class[static_cast<std::size_t>(sample.label)];
    if (!sample.group.empty()) groups.insert(sample.group);
  }
  counts.groups = groups.size();
  return counts;
}

double imbalance_of(const DataReport::Split& train) {
  const auto [least, most] = std::minmax_element(train.by_class.begin(), train.by_class.end());
  return static_cast<double>(*most) / static_cast<double>(*least);
}

DataReport::Duplicates duplicates_of(const std::vector<const Seen*>& files) {
  DataReport::Duplicates duplicates;
  for (const Seen* file : files) {
    duplicates.names.push_back(file->sample->name);
    duplicates.across_splits |= file->split != files[0]->split;
    duplicates.across_classes |= file->sample->label != files[0]->sample->label;
  }
  return duplicates;
}

std::vector<DataReport::Duplicates> find_same_bytes(const std::vector<Seen>& all) {
  std::map<std::uint64_t, std::vector<const Seen*>> by_hash;
  for (const Seen& seen : all) {
    if (seen.look) by_hash[seen.hash].push_back(&seen);
  }
  std::vector<DataReport::Duplicates> sets;
  for (const auto& [hash, files] : by_hash) {
    if (files.size() > 1) sets.push_back(duplicates_of(files));
  }
  std::sort(sets.begin(), sets.end(),
            [](const auto& a, const auto& b) { return a.names < b.names; });
  return sets;
}

std::vector<DataReport::Duplicates> find_near(const std::vector<Seen>& all) {
  std::vector<const Seen*> whole;
  std::vector<Look> looks;
  for (const Seen& seen : all) {
    if (!seen.look) continue;
    whole.push_back(&seen);
    looks.push_back(*seen.look);
  }
  std::vector<DataReport::Duplicates> pairs;
  for (const auto& [i, j] : find_near_duplicates(looks)) {
    if (whole[i]->hash != whole[j]->hash) pairs.push_back(duplicates_of({whole[i], whole[j]}));
  }
  return pairs;
}

std::vector<DataReport::SharedGroup> find_shared_groups(const std::vector<Seen>& all) {
  std::map<std::string, std::vector<std::string>> splits_by_group;
  for (const Seen& seen : all) {
    if (seen.sample->group.empty()) continue;
    std::vector<std::string>& splits = splits_by_group[seen.sample->group];
    if (splits.empty() || splits.back() != seen.split) splits.emplace_back(seen.split);
  }
  std::vector<DataReport::SharedGroup> shared;
  for (const auto& [group, splits] : splits_by_group) {
    if (splits.size() > 1) shared.push_back({group, splits});
  }
  return shared;
}

bool any_across_splits(const std::vector<DataReport::Duplicates>& sets) {
  return std::any_of(sets.begin(), sets.end(), [](const auto& set) { return set.across_splits; });
}

}  // namespace

std::size_t DataReport::Split::images() const {
  return std::accumulate(by_class.begin(), by_class.end(), std::size_t{0});
}

bool DataReport::has_leakage() const {
  return any_across_splits(same_bytes) || any_across_splits(near_duplicates) ||
         !shared_groups.empty();
}

DataReport check_data(const DataSet& data) {
  DataReport report;
  report.classes = data.classes;
  std::vector<Seen> all;
  for (const NamedSplit& split : splits_of(data)) {
    if (split.samples->empty()) continue;
    report.splits.push_back(count_split(split, data.classes.size()));
    for (const Sample& sample : *split.samples) all.push_back({&sample, split.name});
  }
  report.imbalance = imbalance_of(report.splits.at(0));
  parallel_for(all.size(), [&](std::size_t i) { look_at(all[i]); });
  for (const Seen& seen : all) {
    if (!seen.look) report.bad_files.push_back({seen.sample->name, seen.reason});
  }
  report.same_bytes = find_same_bytes(all);
  report.near_duplicates = find_near(all);
  report.shared_groups = find_shared_groups(all);
  return report;
}

}  // namespace ranksweep::worker
