#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/tables.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

Cell finite(double number) { return std::isfinite(number) ? Cell(number) : Cell(); }

Table parameter_table(const std::vector<Parameter>& parameters) {
  Table table{{{"name", "parameter"}, {"value", "value"}}, {}};
  for (const Parameter& parameter : parameters) {
    table.rows.push_back({parameter.name, parameter.value});
  }
  return table;
}

Table attempt_table(const std::vector<Attempt>& attempts, const sweeps::TrialId& trial) {
  Table table{{{"attempt", "attempt"},
               {"rank", "rank"},
               {"host", "host"},
               {"device", "device"},
               {"precision", "precision"},
               {"memory_format", "memory format"},
               {"begun_at", "begun"},
               {"ended_at", "ended"},
               {"outcome", "outcome"},
               {"cause", "cause"},
               {"message", "message"}},
              {}};
  for (const Attempt& attempt : attempts) {
    if (attempt.trial != trial) continue;
    table.rows.push_back({attempt.id, std::int64_t{attempt.rank}, attempt.host, attempt.device,
                          attempt.precision, attempt.memory_format, attempt.begun_at,
                          attempt.ended_at, attempt.outcome, attempt.cause, attempt.message});
  }
  return table;
}

using OwnMetrics = std::map<int, std::map<std::string, double>>;  // by epoch and name

// Adds a column for each metric that the trainer has of its own.
void add_own_metrics(const OwnMetrics& own, const std::vector<sweeps::EpochMetrics>& epochs,
                     Table& table) {
  std::set<std::string> names;
  for (const auto& [epoch, metrics] : own) {
    for (const auto& [name, value] : metrics) names.insert(name);
  }
  for (const std::string& name : names) {
    table.columns.push_back({name, name});
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const auto epoch = own.find(epochs[i].epoch);
      const bool measured = epoch != own.end() && epoch->second.contains(name);
      table.rows[i].push_back(measured ? Cell(epoch->second.at(name)) : Cell());
    }
  }
}

Table epoch_table(const std::vector<sweeps::EpochMetrics>& epochs) {
  Table table{{{"epoch", "epoch"},
               {"train_loss", "train loss", Show::loss},
               {"train_accuracy", "train acc", Show::percent},
               {"val_loss", "val loss", Show::loss},
               {"val_accuracy", "val acc", Show::percent},
               {"learning_rate", "learning rate"},
               {"seconds", "time", Show::duration},
               {"val_classes_predicted", "classes predicted"}},
              {}};
  for (const sweeps::EpochMetrics& epoch : epochs) {
    table.rows.push_back({std::int64_t{epoch.epoch}, finite(epoch.train_loss),
                          finite(epoch.train_accuracy), finite(epoch.val_loss),
                          finite(epoch.val_accuracy), finite(epoch.learning_rate), epoch.seconds,
                          std::int64_t{epoch.val_classes_predicted}});
  }
  return table;
}

std::string standing(const RankedTrial& trial) {
  std::string text(name_of(trial.mark));
  if (trial.rank) text += fmt::format(", rank {}", *trial.rank);
  if (trial.best_epoch) {
    text += fmt::format("; best epoch {} of {}: validation loss {}", *trial.best_epoch,
                        trial.epochs_done, show_cell(*trial.val_loss, Show::loss));
  }
  if (trial.val_accuracy) {
    text += fmt::format(", accuracy {}", show_cell(*trial.val_accuracy, Show::percent));
  }
  if (trial.val_loss_interval) {
    text += fmt::format("; 95 % of the loss: {} to {}",
                        show_cell(trial.val_loss_interval->low, Show::loss),
                        show_cell(trial.val_loss_interval->high, Show::loss));
  }
  if (trial.test_accuracy) {
    text += fmt::format("; on {} test images: loss {}, accuracy {}", trial.test_images,
                        trial.test_loss ? show_cell(*trial.test_loss, Show::loss) : "infinite",
                        show_cell(*trial.test_accuracy, Show::percent));
  }
  return text;
}

std::string last_words(const std::vector<Attempt>& attempts, const sweeps::TrialId& trial) {
  std::string text;
  for (const Attempt& attempt : attempts) {
    if (attempt.trial != trial || attempt.stderr_tail.empty()) continue;
    text += fmt::format("\nLast lines of attempt {}:\n", attempt.id);
    std::string line;
    for (char c : valid_utf8(attempt.stderr_tail) + "\n") {
      if (c != '\n') {
        line += c;
      } else if (!line.empty()) {
        text += "  " + one_line(line) + "\n";
        line.clear();
      }
    }
  }
  return text;
}

}  // namespace

std::string show_trial(ResultsReader& reader, const std::string& prefix, TableFormat format) {
  RankedTrial trial;
  std::vector<Parameter> parameters;
  std::vector<Attempt> attempts;
  std::vector<sweeps::EpochMetrics> epochs;
  OwnMetrics own_metrics;
  reader.at_one_moment([&] {
    const sweeps::TrialId id = reader.find_trial(prefix);
    const auto ranking = reader.ranking();
    trial = *std::find_if(ranking.begin(), ranking.end(),
                          [&](const RankedTrial& one) { return one.trial == id; });
    parameters = reader.parameters(id);
    attempts = reader.attempts();
    epochs = reader.epochs(id);
    own_metrics = reader.own_metrics(id);
  });
  const Table parameter_rows = parameter_table(parameters);
  const Table attempt_rows = attempt_table(attempts, trial.trial);
  Table epoch_rows = epoch_table(epochs);
  add_own_metrics(own_metrics, epochs, epoch_rows);
  if (format == TableFormat::csv || format == TableFormat::latex) {
    return render(epoch_rows, format);
  }
  if (format == TableFormat::json) {
    using nlohmann::ordered_json;
    ordered_json object;
    object["trial"] = trial.trial.hex();
    object["description"] = valid_utf8(trial.description);
    object["mark"] = name_of(trial.mark);
    object["rank"] = trial.rank ? ordered_json(*trial.rank) : ordered_json(nullptr);
    object["parameters"] = ordered_json::parse(render(parameter_rows, format));
    object["attempts"] = ordered_json::parse(render(attempt_rows, format));
    object["epochs"] = ordered_json::parse(render(epoch_rows, format));
    return object.dump(2) + "\n";
  }
  return fmt::format("{}  {}\n{}\n\n{}\n{}\n{}{}", trial.trial.hex(),
                     one_line(valid_utf8(trial.description)), standing(trial),
                     render(parameter_rows, format), render(attempt_rows, format),
                     render(epoch_rows, format), last_words(attempts, trial.trial));
}

}  // namespace ranksweep::results
