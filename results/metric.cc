#include "results/metric.h"

#include <algorithm>

namespace ranksweep::results {

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all = {
      {"val_loss", "val loss", Show::loss, false, [](const auto& trial) { return trial.val_loss; }},
      {"val_accuracy", "val acc", Show::percent, true,
       [](const auto& trial) { return trial.val_accuracy; }},
      {"train_loss", "train loss", Show::loss, false,
       [](const auto& trial) { return trial.train_loss; }},
      {"train_accuracy", "train acc", Show::percent, true,
       [](const auto& trial) { return trial.train_accuracy; }},
      {"test_loss", "test loss", Show::loss, false,
       [](const auto& trial) { return trial.test_loss; }},
      {"test_accuracy", "test acc", Show::percent, true,
       [](const auto& trial) { return trial.test_accuracy; }},
      {"seconds", "time", Show::duration, false,
       [](const auto& trial) { return std::optional(trial.seconds); }}};
  return all;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.push_back(metric.name);
  return names;
}

const Metric* find_metric(const std::string& name) {
  const auto found = std::ranges::find(metrics(), name, &Metric::name);
  return found == metrics().end() ? nullptr : &*found;
}

void rank_by(const Metric& metric, std::vector<RankedTrial>& ranking) {
  const auto ranked_end = std::stable_partition(
      ranking.begin(), ranking.end(),
      [&](const RankedTrial& trial) { return trial.rank && metric.of(trial); });
  std::stable_sort(ranking.begin(), ranked_end, [&](const auto& a, const auto& b) {
    return metric.higher_is_better ? *metric.of(a) > *metric.of(b) : *metric.of(a) < *metric.of(b);
  });
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    const int place = static_cast<int>(i + 1);
    ranking[i].position = place;
    ranking[i].rank = ranking.begin() + static_cast<std::ptrdiff_t>(i) < ranked_end
                          ? std::optional(place)
                          : std::nullopt;
  }
}

}  // namespace ranksweep::results
