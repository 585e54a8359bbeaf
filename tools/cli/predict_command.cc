#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/operating_points.h"
#include "results/results_reader.h"
#include "results/table.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/classify_images.h"
#include "tools/cli/commands.h"
#include "tools/cli/explanation_sheet.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  fs::path database;
  std::vector<std::string> images;
  std::optional<std::string> trial;
  std::string positive_class;
  std::optional<double> threshold;
  std::optional<double> precision;  // for which a threshold is chosen
  ClassifyOptions classify;
  fs::path explanation;
  std::string format = "table";
};

// The paths of the files to classify: of a folder all that lie in it, hidden ones left out; of "-"
// the lines of standard input.
std::vector<std::string> list_images(const std::vector<std::string>& arguments) {
  std::vector<std::string> paths;
  for (const std::string& argument : arguments) {
    if (argument == "-") {
      for (std::string line; std::getline(std::cin, line);) paths.push_back(line);
    } else if (fs::is_directory(argument)) {
      std::vector<std::string> files;
      for (const auto& entry : fs::recursive_directory_iterator(argument)) {
        const bool hidden = entry.path().filename().string().starts_with('.');
        if (!hidden && entry.is_regular_file()) files.push_back(entry.path());
      }
      std::ranges::sort(files);
      std::ranges::move(files, std::back_inserter(paths));
    } else {
      paths.push_back(argument);
    }
  }
  if (paths.empty()) throw CommandError(ExitCode::bad_input, "there is no image to classify");
  return paths;
}

// The index of the class that --threshold and --precision are for.
std::size_t positive_class(const PredictOptions& options, const std::vector<std::string>& classes) {
  const std::string& name =
      options.positive_class.empty() ? classes.back() : options.positive_class;
  const auto found = std::ranges::find(classes, name);
  if (found == classes.end()) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("--class: there is no class `{}`; the trial knows {}", name,
                                   fmt::join(classes, ", ")));
  }
  return static_cast<std::size_t>(found - classes.begin());
}

std::string share_text(int part, int whole) {
  return fmt::format("{} ({} of {})",
                     results::show_cell(static_cast<double>(part) / whole, results::Show::percent),
                     part, whole);
}

// The threshold from which on `positive` is right as often as is wished, by what the trial made of
// the validation images. Says so on stderr.
double choose_threshold(results::ResultsReader& reader, const results::RankedTrial& trial,
                        std::size_t positive, double precision) {
  const std::vector<results::JudgedImage> images = reader.images("validation");
  std::vector<results::OperatingPoint> points;
  reader.predictions("validation", {trial.row}, [&](std::int64_t, const auto& predictions) {
    points = results::operating_points(predictions, images, static_cast<int>(positive));
  });
  const std::string name = reader.sweep().classes.at(positive);
  if (points.empty()) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("--precision: of trial {} no predictions for validation images of the class "
                    "`{}` are kept; choose a --threshold",
                    trial.trial.short_hex(), name));
  }
  const auto point = results::find_point(points, precision);
  if (!point) {
    const auto best = std::ranges::max_element(points, {}, &results::OperatingPoint::precision);
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("--precision: no threshold for `{}` reaches {} on the {} validation images; "
                    "the most precise, {:.6g}, reaches {} and finds {} of the class. Wish for "
                    "less, or choose another trial",
                    name, results::show_cell(precision, results::Show::percent), trial.val_images,
                    best->threshold, share_text(best->right, best->taken),
                    share_text(best->right, best->of_class)));
  }
  const results::Interval interval = results::wilson_interval(point->right, point->taken);
  fmt::print(stderr,
             "threshold {:.6g} for {}: on the {} validation images precision {}, 95 % interval "
             "{:.1f} to {:.1f} %, recall {}\n",
             point->threshold, name, trial.val_images, share_text(point->right, point->taken),
             100 * interval.low, 100 * interval.high, share_text(point->right, point->of_class));
  return point->threshold;
}

// Which class is taken: the likeliest; with a threshold the positive class from that probability
// on, else the likeliest of the others.
struct Decision {
  std::optional<double> threshold;
  std::size_t positive = 0;

  std::size_t take(std::vector<double> probabilities) const {
    if (threshold) {
      if (probabilities[positive] >= *threshold) return positive;
      probabilities[positive] = -1;
    }
    return static_cast<std::size_t>(std::ranges::max_element(probabilities) -
                                    probabilities.begin());
  }
};

results::Table make_table(const std::vector<std::string>& paths, const ImageAnswers& answers,
                          const Decision& decision) {
  results::Table table;
  table.columns = {{"image", "image"},
                   {"class", "class"},
                   {"probability", "probability", results::Show::percent}};
  for (const std::string& name : answers.classes) {
    table.columns.push_back({"p_" + name, "p(" + name + ")", results::Show::percent});
  }
  table.columns.push_back({"error", "error"});
  for (std::size_t i = 0; i < paths.size(); ++i) {
    std::vector<results::Cell> row(table.columns.size());
    row.front() = paths[i];
    const ImageAnswer& answer = answers.images[i];
    if (!answer.error.empty()) {
      row.back() = answer.error;
    } else {
      const std::size_t taken = decision.take(answer.probabilities);
      row[1] = answers.classes[taken];
      row[2] = answer.probabilities[taken];
      std::ranges::copy(answer.probabilities, row.begin() + 3);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ExitCode predict(const PredictOptions& options) {
  results::ResultsReader reader(options.database);
  const results::RankedTrial trial = chosen_trial(reader, options.database, options.trial);
  const fs::path checkpoint = best_checkpoint(trial, options.database);
  Decision decision{.threshold = options.threshold};
  if (options.threshold || options.precision) {
    decision.positive = positive_class(options, reader.sweep().classes);
  } else if (!options.positive_class.empty()) {
    throw CommandError(ExitCode::bad_input, "--class needs --threshold or --precision beside it");
  }
  if (options.precision) {
    decision.threshold = choose_threshold(reader, trial, decision.positive, *options.precision);
  }
  const std::vector<std::string> paths = list_images(options.images);
  ClassifyOptions classify = options.classify;
  classify.explain = !options.explanation.empty();
  if (classify.explain && paths.size() > kMostExplanations) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("--explain draws {} images at most; found {}: name fewer",
                                   kMostExplanations, paths.size()));
  }
  const ImageAnswers answers = classify_images(checkpoint, paths, classify);
  const results::Table table = make_table(paths, answers, decision);
  fmt::print("{}", render(table, results::table_format_from(options.format)));
  if (classify.explain) write_explanation_sheet(paths, answers, options.explanation);
  const auto bad =
      std::ranges::count_if(answers.images, [](const auto& each) { return !each.error.empty(); });
  if (bad == 0) return ExitCode::success;
  fmt::print(stderr, "ranksweep: {} could not be classified\n", count_text(bad, "image"));
  return ExitCode::images_failed;
}

}  // namespace

void add_predict_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand(
      "predict", "Classify images with the best trial; exit status 1 when some cannot be read");
  command->add_option("database", options->database, "The results database")->required();
  command->add_option("images", options->images, "Files, folders, or - for paths on standard input")
      ->required();
  command->add_option("--trial", options->trial,
                      "The first digits of a trial's identity, instead of the best");
  CLI::Option* threshold =
      command
          ->add_option("--threshold", options->threshold,
                       "Take --class from this probability on, instead of the likeliest class")
          ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--precision", options->precision,
                   "The same with the threshold from which on such a share of the validation "
                   "images was right")
      ->check(CLI::Range(0.0, 1.0))
      ->excludes(threshold);
  command->add_option("--class", options->positive_class,
                      "What --threshold or --precision is for; the last class");
  command->add_option("--device", options->classify.device, "auto, cpu, cuda or cuda:N")
      ->check(CLI::Validator(
          [](const std::string& device) {
            static const std::regex known("auto|cpu|cuda(:[0-9]{1,3})?");
            return std::regex_match(device, known) ? "" : "is none of auto, cpu, cuda, cuda:N";
          },
          ""))
      ->capture_default_str();
  command->add_option("--batch", options->classify.batch, "Images that are classified together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--explain", options->explanation,
                      "A PNG file to draw what the network goes by in each image");
  command->add_option("--format", options->format, "table, markdown, latex, csv or json")
      ->check(CLI::IsMember({"table", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->callback([options, &result] { result = predict(*options); });
}

}  // namespace ranksweep::cli
