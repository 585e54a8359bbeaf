#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "results/ranking.h"
#include "results/results_reader.h"
#include "results/table.h"

// The tables that the command line prints and the reports show.
namespace ranksweep::results {

struct RankOptions {
  // Names of parameters: one row for the ranked trials that agree in all of them. Empty: one row a
  // trial.
  std::vector<std::string> by;
  std::optional<std::size_t> limit;  // at most so many rows
  // What the order goes by: one of metrics(), or of the trainers' own.
  std::string metric = "val_loss";
  bool highest = false;  // whether an own metric is better when it is higher
};

// The ranking with the values of the swept parameters and the comparison with the best, or, with
// options.by, the median and range of the metric for each group, best median first. Throws
// StoreError for a name in `by` that is no parameter, and a metric that there is not.
Table rank_table(ResultsReader& reader, const RankOptions& options = {});
// The same, without options, of trials that were read already.
Table rank_table(ResultsReader& reader, std::span<const RankedTrial> trials);

// The trials that were evaluated on the test split.
Table test_table(const std::vector<RankedTrial>& ranking);

// The columns of the study: model, epoch of the minimum validation loss, that loss, and at that
// epoch validation accuracy, training loss and training accuracy.
Table study_table(const std::vector<RankedTrial>& ranking);

// How many trials of the plan have each mark.
Table status_table(const std::vector<RankedTrial>& ranking);

// What the ranks work on: one row for each running trial, with its last epoch.
Table running_table(ResultsReader& reader);

// The images that the sweep leaves out as bad.
Table skipped_table(ResultsReader& reader);

// Ranks lost and devices quarantined by the last `run`.
Table trouble_table(ResultsReader& reader);

// What each rank did with its device: the view `device_use`.
Table device_table(ResultsReader& reader);

// Why devices trained nothing, and for how long in all: the view `device_idle`.
Table idle_table(ResultsReader& reader);

// One trial, whose identity begins with `prefix`: how it stands, its parameters, attempts and
// epochs, in the given format; JSON is one object, CSV and LaTeX have the epochs alone. Throws
// StoreError when no trial or several begin so.
std::string show_trial(ResultsReader& reader, const std::string& prefix, TableFormat format);

}  // namespace ranksweep::results
