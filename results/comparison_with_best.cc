#include "results/comparison_with_best.h"

#include <unordered_map>

#include "results/image_losses.h"
#include "results/resampling.h"

namespace ranksweep::results {
namespace {

std::vector<int> labels_of(ResultsReader& reader) {
  std::vector<int> labels;
  for (const JudgedImage& image : reader.images("validation")) labels.push_back(image.label);
  return labels;
}

}  // namespace

void compare_with_best(ResultsReader& reader, const RankedTrial& best,
                       std::span<RankedTrial> trials) {
  const std::vector<int> labels = labels_of(reader);
  std::vector<double> losses_of_best;
  reader.predictions("validation", {best.row}, [&](std::int64_t, const auto& predictions) {
    losses_of_best = image_losses(predictions, labels);
  });
  if (losses_of_best.empty()) return;

  std::unordered_map<std::int64_t, RankedTrial*> by_row;
  std::vector<std::int64_t> rows;
  for (RankedTrial& trial : trials) {
    if (!trial.rank || trial.row == best.row) continue;
    by_row[trial.row] = &trial;
    rows.push_back(trial.row);
  }
  reader.predictions("validation", rows, [&](std::int64_t row, const auto& predictions) {
    std::vector<double> differences = image_losses(predictions, labels);
    for (std::size_t i = 0; i < differences.size(); ++i) differences[i] -= losses_of_best[i];
    if (const auto differ = distinguishable(differences)) by_row.at(row)->like_best = !*differ;
  });
}

void compare_with_best(ResultsReader& reader, std::vector<RankedTrial>& ranking) {
  if (ranking.empty() || !ranking.front().rank) return;
  const RankedTrial best = ranking.front();
  compare_with_best(reader, best, ranking);
}

}  // namespace ranksweep::results
