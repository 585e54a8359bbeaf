#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "results/ranking.h"

namespace ranksweep::results {

// A figure of a trial, at its best epoch, by which trials can be put in order.
struct Metric {
  std::string name;     // "val_loss": as the columns of the view `ranking`
  std::string heading;  // for people
  Show show = Show::plain;
  bool higher_is_better = false;
  std::function<std::optional<double>(const RankedTrial&)> of;
};

// val_loss first.
const std::vector<Metric>& metrics();
std::vector<std::string> metric_names();
// Null for a name that is none.
const Metric* find_metric(const std::string& name);

// Orders the ranked trials of `ranking` by `metric`, on a tie as they were, and numbers them anew.
// Those that do not have the metric lose their rank and follow.
void rank_by(const Metric& metric, std::vector<RankedTrial>& ranking);

}  // namespace ranksweep::results
