#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cluster/child_process.h"
#include "results/results_reader.h"
#include "results/table.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/commands.h"
#include "tools/cli/temporary_file.h"
#include "tools/cli/text.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  fs::path database;
  std::vector<std::string> images;
  std::optional<std::string> trial;
  std::string positive_class;
  std::optional<double> threshold;
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
        const bool hidden = entry.path().filename().string().starts_with(".");
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

// What the trainer reads: the paths, a zero byte after each.
std::string list_of(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list.append(path.c_str(), path.size() + 1);
  return list;
}

struct Answers {
  std::vector<std::string> classes;
  std::vector<nlohmann::json> of_images;  // {"probabilities": [...]} or {"error": "..."}
};

Answers ask_trainer(const fs::path& checkpoint, const std::vector<std::string>& paths) {
  const TemporaryFile list(list_of(paths));
  const std::string output = cluster::output_of(
      {find_trainer().string(), "predict", checkpoint.string(), list.path().string()});
  Answers answers;
  for (std::size_t begin = 0, end = 0; begin < output.size(); begin = end + 1) {
    end = std::min(output.find('\n', begin), output.size());
    const auto line = nlohmann::json::parse(output.substr(begin, end - begin), nullptr, false);
    if (!line.is_object()) continue;  // a warning of a library
    if (line.contains("classes")) {
      answers.classes = line["classes"];
    } else {
      answers.of_images.push_back(line);
    }
  }
  if (answers.of_images.size() != paths.size()) {
    throw CommandError(ExitCode::unfit, "the trainer's answer is not whole:\n" + output);
  }
  return answers;
}

// Which class is taken: the likeliest; with a threshold the positive class from that probability
// on, else the likeliest of the others.
class Decision {
 public:
  Decision(const PredictOptions& options, const std::vector<std::string>& classes)
      : threshold_(options.threshold) {
    if (!threshold_) return;
    const std::string& name =
        options.positive_class.empty() ? classes.back() : options.positive_class;
    const auto found = std::ranges::find(classes, name);
    if (found == classes.end()) {
      throw CommandError(ExitCode::bad_input,
                         fmt::format("--class: there is no class `{}`; the trial knows {}", name,
                                     fmt::join(classes, ", ")));
    }
    positive_ = found - classes.begin();
  }

  std::ptrdiff_t take(std::vector<double> probabilities) const {
    if (threshold_) {
      double& positive = probabilities[static_cast<std::size_t>(positive_)];
      if (positive >= *threshold_) return positive_;
      positive = -1;
    }
    return std::ranges::max_element(probabilities) - probabilities.begin();
  }

 private:
  std::optional<double> threshold_;
  std::ptrdiff_t positive_ = 0;
};

results::Table make_table(const std::vector<std::string>& paths, const Answers& answers,
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
    const nlohmann::json& answer = answers.of_images[i];
    if (answer.contains("error")) {
      row.back() = answer["error"].get<std::string>();
    } else {
      const std::vector<double> probabilities = answer["probabilities"];
      const auto taken = static_cast<std::size_t>(decision.take(probabilities));
      row[1] = answers.classes[taken];
      row[2] = probabilities[taken];
      std::ranges::copy(probabilities, row.begin() + 3);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ExitCode predict(const PredictOptions& options) {
  results::ResultsReader reader(options.database);
  const fs::path checkpoint =
      best_checkpoint(chosen_trial(reader, options.database, options.trial), options.database);
  const std::vector<std::string> paths = list_images(options.images);
  const Answers answers = ask_trainer(checkpoint, paths);
  const results::Table table = make_table(paths, answers, Decision(options, answers.classes));
  fmt::print("{}", render(table, results::table_format_from(options.format)));
  const auto bad = std::ranges::count_if(
      answers.of_images, [](const auto& answer) { return answer.contains("error"); });
  if (bad == 0) return ExitCode::success;
  fmt::print(stderr, "ranksweep: {} could not be classified\n",
             count_text(static_cast<int>(bad), "image"));
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
  command->add_option("--class", options->positive_class, "What --threshold is for; the last class")
      ->needs(threshold);
  command->add_option("--format", options->format, "table, markdown, latex, csv or json")
      ->check(CLI::IsMember({"table", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->callback([options, &result] { result = predict(*options); });
}

}  // namespace ranksweep::cli
