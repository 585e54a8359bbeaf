#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "results/ensemble.h"
#include "results/image_losses.h"
#include "results/resampling.h"
#include "results/results_reader.h"
#include "results/table.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/classify_images.h"
#include "tools/cli/commands.h"
#include "tools/cli/sweep_images.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;
using results::Cell;
using results::HeldOutScores;
using results::RankedTrial;
using results::Show;

struct EnsembleOptions {
  fs::path database;
  std::size_t best = 5;
  std::string format = "table";
};

std::vector<int> labels_of(const std::vector<results::JudgedImage>& images) {
  std::vector<int> labels;
  for (const results::JudgedImage& image : images) labels.push_back(image.label);
  return labels;
}

// What one comparison measures, and how.
struct Measured {
  results::EnsembleScores scores;
  std::string best;    // the best trial
  std::string trials;  // those that were averaged
  std::string where;   // completes "on ..."
};

sweeps::Predictions ask_for_predictions(const RankedTrial& trial, const fs::path& database,
                                        const std::vector<std::string>& paths) {
  const ImageAnswers answers = classify_images(best_checkpoint(trial, database), paths, {});
  sweeps::Predictions predictions{.images = static_cast<int>(paths.size()),
                                  .classes = static_cast<int>(answers.classes.size()),
                                  .log_probabilities = {},
                                  .left_out = ""};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!answers.images[i].error.empty()) {
      throw CommandError(ExitCode::bad_input,
                         fmt::format("{} {}, but it is an image of the test split: put the data "
                                     "set back as it was",
                                     paths[i], answers.images[i].error));
    }
    for (const double each : answers.images[i].probabilities) {
      predictions.log_probabilities.push_back(static_cast<float>(std::log(each)));
    }
  }
  return predictions;
}

Measured measure_on_test_split(results::ResultsReader& reader, const EnsembleOptions& options,
                               const std::vector<RankedTrial>& ranked,
                               const std::vector<results::JudgedImage>& images) {
  const results::SweepInfo sweep = reader.sweep();
  std::vector<std::string> paths;
  for (const results::JudgedImage& image : images) {
    paths.push_back(path_of_image(sweep, image.file).string());
  }
  std::vector<sweeps::Predictions> members;
  std::string trials;
  for (std::size_t i = 0; i < options.best; ++i) {
    members.push_back(ask_for_predictions(ranked[i], options.database, paths));
    trials += (trials.empty() ? "" : " ") + ranked[i].trial.short_hex();
  }
  return {results::test_ensemble(members, labels_of(images)), ranked.front().trial.short_hex(),
          trials,
          fmt::format("the {} images of the test split, which chose nothing", images.size())};
}

Measured cross_validate(results::ResultsReader& reader, const EnsembleOptions& options,
                        const std::vector<RankedTrial>& ranked) {
  const std::vector<int> labels = labels_of(reader.images("validation"));
  std::vector<std::int64_t> rows;
  for (const RankedTrial& trial : ranked) rows.push_back(trial.row);
  std::vector<sweeps::Predictions> candidates;
  reader.predictions("validation", rows, [&](std::int64_t, const sweeps::Predictions& predictions) {
    if (!results::image_losses(predictions, labels).empty()) candidates.push_back(predictions);
  });
  if (candidates.size() < options.best || labels.size() < 4) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("there is no test split, and for cross-validation predictions of {} trials for "
                    "four images at least must be kept: there are {} for {}",
                    options.best, candidates.size(), labels.size()));
  }
  const std::string chosen = "chosen anew each time";
  return {results::cross_validate_ensemble(candidates, labels, options.best), chosen, chosen,
          fmt::format("{} validation images, each held out from the choice of the trials (there is "
                      "no test split; the best epochs were chosen by these images, which flatters "
                      "both alike)",
                      labels.size())};
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::vector<double> minus(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> difference(a.size());
  std::ranges::transform(a, b, difference.begin(), std::minus());
  return difference;
}

void add_figure(const std::vector<double>& values, std::vector<Cell>& row) {
  row.emplace_back(mean_of(values));
  const auto interval = results::bootstrap_interval(values);
  row.push_back(interval ? Cell(interval->low) : Cell());
  row.push_back(interval ? Cell(interval->high) : Cell());
}

results::Table make_table(const Measured& measured, std::size_t size) {
  results::Table table{{{"classifier", "classifier"},
                        {"trials", "trials"},
                        {"loss", "loss", Show::loss},
                        {"loss_low", "from", Show::loss},
                        {"loss_high", "to", Show::loss},
                        {"accuracy", "accuracy", Show::percent},
                        {"accuracy_low", "from", Show::percent},
                        {"accuracy_high", "to", Show::percent},
                        {"images", "images"}},
                       {}};
  const auto add_row = [&](std::string name, std::string trials, const HeldOutScores& scores) {
    std::vector<Cell> row = {std::move(name), std::move(trials)};
    add_figure(scores.losses, row);
    add_figure(scores.right, row);
    row.emplace_back(static_cast<std::int64_t>(scores.losses.size()));
    table.rows.push_back(std::move(row));
  };
  const auto& [best, average] = measured.scores;
  add_row("best trial", measured.best, best);
  add_row(fmt::format("average of {}", size), measured.trials, average);
  add_row("difference", "", {minus(average.losses, best.losses), minus(average.right, best.right)});
  return table;
}

std::string verdict(const Measured& measured, std::size_t size) {
  const std::vector<double> difference =
      minus(measured.scores.average.losses, measured.scores.best.losses);
  const auto interval = results::bootstrap_interval(difference);
  const char* what = !interval            ? "nothing can be told"
                     : interval->high < 0 ? "it helps"
                     : interval->low > 0  ? "it harms"
                                          : "whether it helps cannot be told";
  const std::string range =
      interval ? fmt::format(" (95 % interval {:.4g} to {:.4g})", interval->low, interval->high)
               : "";
  return fmt::format(
      "Averaging the probabilities of the {} best trials changes the loss of the best alone by "
      "{:.4g}{} on {}: {}.",
      size, mean_of(difference), range, measured.where, what);
}

ExitCode compare_ensemble(const EnsembleOptions& options) {
  results::ResultsReader reader(options.database);
  std::vector<RankedTrial> ranked = reader.ranking();
  std::erase_if(ranked, [](const RankedTrial& trial) { return !trial.rank; });
  if (ranked.size() < options.best) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("--best {}: {} has {} ranked trials", options.best,
                                   options.database.string(), ranked.size()));
  }
  const std::vector<results::JudgedImage> test = reader.images("test");
  const Measured measured = test.empty() ? cross_validate(reader, options, ranked)
                                         : measure_on_test_split(reader, options, ranked, test);
  fmt::print(
      "{}", render(make_table(measured, options.best), results::table_format_from(options.format)));
  fmt::print(stderr, "{}\n", verdict(measured, options.best));
  return ExitCode::success;
}

}  // namespace

void add_ensemble_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<EnsembleOptions>();
  CLI::App* command = app.add_subcommand(
      "ensemble", "Show on held-out images whether averaging the best trials helps");
  command->add_option("database", options->database, "The results database")->required();
  command->add_option("--best", options->best, "How many of the best trials are averaged")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command->add_option("--format", options->format, "table, markdown, latex, csv or json")
      ->check(CLI::IsMember({"table", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->callback([options, &result] { result = compare_ensemble(*options); });
}

}  // namespace ranksweep::cli
