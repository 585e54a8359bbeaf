#include "worker/data/stratified_split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <xxhash.h>

#include <fmt/format.h>

#include "worker/data/problems.h"

namespace ranksweep::worker {
namespace {

struct Group {
  std::string name;
  std::vector<std::size_t> samples;
  std::vector<int> counts;  // by class
  bool in_validation = false;
};

std::vector<Group> collect_groups(const std::vector<Sample>& samples, std::size_t classes) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    // The prefix keeps a group from sharing its name with a file.
    const std::string name =
        samples[i].group.empty() ? "file/" + samples[i].name : "group/" + samples[i].group;
    const auto [place, is_new] = index.try_emplace(name, groups.size());
    if (is_new) groups.push_back({name, {}, std::vector<int>(classes), false});
    groups[place->second].samples.push_back(i);
    ++groups[place->second].counts[static_cast<std::size_t>(samples[i].label)];
  }
  return groups;
}

void shuffle(std::vector<Group>& groups, std::int64_t seed) {
  const auto key = [seed](const Group& group) {
    return XXH3_64bits_withSeed(group.name.data(), group.name.size(),
                                static_cast<std::uint64_t>(seed));
  };
  std::sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
    return std::pair(key(a), a.name) < std::pair(key(b), b.name);
  });
}

// Fills validation up to `wanted` images of each class.
void choose_validation(std::vector<Group>& groups, std::vector<int> wanted) {
  for (Group& group : groups) {
    int change = 0;  // of the distance to what is wanted
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      change += std::abs(wanted[c] - group.counts[c]) - std::abs(wanted[c]);
    }
    if (change >= 0) continue;
    group.in_validation = true;
    for (std::size_t c = 0; c < wanted.size(); ++c) wanted[c] -= group.counts[c];
  }
}

void check_classes(const DataSet& data, double fraction) {
  Problems problems;
  for (std::size_t c = 0; c < data.classes.size(); ++c) {
    const auto has_class = [c](const Sample& sample) {
      return sample.label == static_cast<int>(c);
    };
    if (std::any_of(data.train.begin(), data.train.end(), has_class) &&
        std::any_of(data.validation.begin(), data.validation.end(), has_class)) {
      continue;
    }
    problems.add(fmt::format(
        "class '{}' cannot be split with validation_fraction {}: it has too few images, or too few "
        "groups; add images, or change validation_fraction",
        data.classes[c], fraction));
  }
  problems.throw_if_any();
}

}  // namespace

void stratified_split(const std::vector<Sample>& samples, double fraction, std::int64_t seed,
                      DataSet& data) {
  std::vector<Group> groups = collect_groups(samples, data.classes.size());
  std::vector<int> wanted(data.classes.size());
  for (const Sample& sample : samples) ++wanted[static_cast<std::size_t>(sample.label)];
  for (int& count : wanted) count = std::max(1, static_cast<int>(std::lround(count * fraction)));
  shuffle(groups, seed);
  choose_validation(groups, wanted);

  std::vector<bool> in_validation(samples.size());
  for (const Group& group : groups) {
    for (const std::size_t i : group.samples) in_validation[i] = group.in_validation;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    (in_validation[i] ? data.validation : data.train).push_back(samples[i]);
  }
  check_classes(data, fraction);
}

}  // namespace ranksweep::worker
