#include "results/report_published.h"

#include <algorithm>

#include <fmt/format.h>

namespace ranksweep::results {
namespace {

Cell printed(const std::optional<PrintedNumber>& number) {
  return number ? Cell(number->text) : Cell();
}

Cell found(const std::optional<double>& number) { return number ? Cell(*number) : Cell(); }

}  // namespace

Table published_table(const ReportData& data) {
  Table table{{{"model", "model"},
               {"published_epoch", "published: epoch"},
               {"published_val_loss", "val loss"},
               {"published_val_accuracy", "val acc"},
               {"published_train_loss", "train loss"},
               {"published_train_accuracy", "train acc"},
               {"epoch", "reproduced: epoch"},
               {"val_loss", "val loss", Show::loss},
               {"val_accuracy", "val acc", Show::percent},
               {"train_loss", "train loss", Show::loss},
               {"train_accuracy", "train acc", Show::percent},
               {"agrees", "agrees"},
               {"description", "by the trial"}},
              {}};
  for (const PublishedPair& pair : data.published) {
    const PublishedRow& row = pair.row;
    auto& cells = table.rows.emplace_back();
    cells = {row.model,
             row.best_epoch ? Cell(std::int64_t{*row.best_epoch}) : Cell(),
             printed(row.val_loss),
             printed(row.val_accuracy),
             printed(row.train_loss),
             printed(row.train_accuracy)};
    if (pair.trial == nullptr) {
      cells.resize(table.columns.size());
      continue;
    }
    const RankedTrial& trial = *pair.trial;
    cells.insert(cells.end(), {trial.best_epoch ? Cell(std::int64_t{*trial.best_epoch}) : Cell(),
                               found(trial.val_loss), found(trial.val_accuracy),
                               found(trial.train_loss), found(trial.train_accuracy),
                               std::string(agrees(row, trial) ? "yes" : "no"), trial.description});
  }
  return table;
}

std::string published_summary(const ReportData& data) {
  const auto equal =
      std::count_if(data.published.begin(), data.published.end(), [](const PublishedPair& pair) {
        return pair.trial != nullptr && agrees(pair.row, *pair.trial);
      });
  const auto missing =
      std::count_if(data.published.begin(), data.published.end(),
                    [](const PublishedPair& pair) { return pair.trial == nullptr; });
  std::string text = fmt::format(
      "Published rows that agree in epoch and figures to their last printed digit: {} of {}", equal,
      data.published.size());
  if (missing > 0) text += fmt::format("; without a trial of that name here: {}", missing);
  return text + ". Reproduced is the best trial of that architecture or name.";
}

}  // namespace ranksweep::results
