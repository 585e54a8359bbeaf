#include "results/report_tables.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/report_sections.h"

namespace ranksweep::results {
namespace {

Cell cell(const std::optional<double>& number) { return number ? Cell(*number) : Cell(); }
Cell finite(double number) { return std::isfinite(number) ? Cell(number) : Cell(); }

}  // namespace

Table effect_table(const std::vector<Effect>& effects) {
  Table table{{{"parameter", "parameter"},
               {"value", "value"},
               {"ranked_trials", "ranked"},
               {"trials", "trials"},
               {"mean_val_loss", "mean val loss", Show::loss},
               {"min_val_loss", "min", Show::loss},
               {"spread", "spread", Show::loss}},
              {}};
  for (const Effect& effect : effects) {
    table.rows.push_back({effect.parameter, effect.value, effect.ranked_trials, effect.trials,
                          cell(effect.mean_val_loss), cell(effect.min_val_loss),
                          cell(effect.spread)});
  }
  return table;
}

Table training_table(const std::vector<TrainingPair>& pairs) {
  Table table{{{"trial", "trial"},
               {"frozen_val_loss", "frozen val loss", Show::loss},
               {"full_val_loss", "full val loss", Show::loss},
               {"better", "better"}},
              {}};
  for (const TrainingPair& pair : pairs) {
    const bool equal = pair.full_val_loss == pair.frozen_val_loss;
    const bool full = pair.full_val_loss < pair.frozen_val_loss;
    table.rows.push_back({pair.description, pair.frozen_val_loss, pair.full_val_loss,
                          std::string(equal  ? "equal"
                                      : full ? "full"
                                             : "frozen")});
  }
  return table;
}

Table curve_table(const std::vector<Curve>& curves, std::size_t limit) {
  Table table{{{"trial", "trial"},
               {"epoch", "epoch"},
               {"train_loss", "train loss", Show::loss},
               {"val_loss", "val loss", Show::loss},
               {"train_accuracy", "train acc", Show::percent},
               {"val_accuracy", "val acc", Show::percent}},
              {}};
  for (std::size_t i = 0; i < std::min(limit, curves.size()); ++i) {
    for (std::size_t index : shown_epochs(curves[i])) {
      const sweeps::EpochMetrics& epoch = curves[i].epochs[index];
      table.rows.push_back({curves[i].trial->description, std::int64_t{epoch.epoch},
                            finite(epoch.train_loss), finite(epoch.val_loss),
                            finite(epoch.train_accuracy), finite(epoch.val_accuracy)});
    }
  }
  return table;
}

Table attempt_table(const std::vector<Attempt>& attempts) {
  Table table{{{"attempt", "attempt"},
               {"trial", "trial", Show::identity},
               {"description", "description"},
               {"rank", "rank"},
               {"host", "host"},
               {"device", "device"},
               {"begun_at", "begun"},
               {"ended_at", "ended"},
               {"outcome", "outcome"}},
              {}};
  for (const Attempt& attempt : attempts) {
    table.rows.push_back({attempt.id, attempt.trial.hex(), attempt.description,
                          std::int64_t{attempt.rank}, attempt.host, attempt.device,
                          attempt.begun_at, attempt.ended_at, attempt.outcome});
  }
  return table;
}

Table failure_table(const std::vector<Attempt>& attempts) {
  Table table{{{"attempt", "attempt"},
               {"trial", "trial", Show::identity},
               {"description", "description"},
               {"rank", "rank"},
               {"host", "host"},
               {"outcome", "outcome"},
               {"cause", "cause"},
               {"message", "message"}},
              {}};
  for (const Attempt& attempt : attempts) {
    if (!went_wrong(attempt)) continue;
    table.rows.push_back({attempt.id, attempt.trial.hex(), attempt.description,
                          std::int64_t{attempt.rank}, attempt.host, attempt.outcome, attempt.cause,
                          attempt.message});
  }
  return table;
}

Table provenance_table(const SweepInfo& sweep, const std::vector<Invocation>& invocations) {
  Table table{{{"what", "what"}, {"value", "value"}}, {}};
  table.rows = {{"fingerprint", sweep.data_fingerprint}};
  if (!sweep.data_path.empty()) {
    table.rows.push_back({"data", sweep.data_path});
    table.rows.push_back(
        {"images", fmt::format("{} train, {} validation, {} test", sweep.train_images,
                               sweep.val_images, sweep.test_images)});
    table.rows.push_back({"classes", fmt::format("{}", fmt::join(sweep.classes, ", "))});
  }
  table.rows.push_back({"planned", sweep.created_at});
  if (!invocations.empty()) {
    const Invocation& last = invocations.back();
    table.rows.push_back({"command", last.command_line});
    table.rows.push_back({"host", last.host});
    for (const auto& [name, value] : last.environment) table.rows.push_back({name, value});
  }
  return table;
}

}  // namespace ranksweep::results
