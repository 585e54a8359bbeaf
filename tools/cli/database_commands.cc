#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "results/export/export.h"
#include "results/import/keras_import.h"
#include "results/merge.h"
#include "results/results_reader.h"
#include "results/tables.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/commands.h"
#include "tools/cli/environment.h"
#include "tools/cli/export_model.h"

namespace ranksweep::cli {
namespace {

struct ImportOptions {
  std::vector<std::filesystem::path> logs;
  std::filesystem::path output;
  std::filesystem::path published;
};

ExitCode import_keras(const ImportOptions& options) {
  std::vector<results::PublishedRow> published;
  if (!options.published.empty()) published = results::read_published_table(options.published);
  const auto logs = results::read_keras_logs(options.logs);
  for (const auto& log : logs) fmt::print("{}", describe_import(log));
  write_keras_import(options.output, logs, this_invocation(),
                     [] { return std::chrono::system_clock::now(); });
  results::ResultsReader reader(options.output);
  fmt::print("\n{}", render(study_table(reader.ranking()), results::TableFormat::text));
  if (!published.empty()) fmt::print("\n{}", compare_import(published, logs));
  fmt::print("\n{} written\n", options.output.string());
  return ExitCode::success;
}

void add_import(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand(
      "import-keras",
      "Make a database of the progress logs of Keras, and say what in them could not be placed");
  command->add_option("logs", options->logs, "One a run; MODEL.log is named MODEL")->required();
  command->add_option("-o,--output", options->output, "The database to make")->required();
  command->add_option("--published", options->published,
                      "A CSV table of published results to compare with; docs/results.md says how");
  command->callback([options, &result] { result = import_keras(*options); });
}

struct MergeOptions {
  std::vector<std::filesystem::path> databases;
  std::filesystem::path output;
};

ExitCode merge(const MergeOptions& options) {
  fmt::print("{}{} written\n", results::merge_databases(options.databases, options.output),
             options.output.string());
  for (const auto& database : options.databases) {
    if (const auto folder = checkpoint_folder(database); std::filesystem::exists(folder)) {
      fmt::print("checkpoints stay in {}; `predict` looks for them in {}\n", folder.string(),
                 checkpoint_folder(options.output).string());
    }
  }
  return ExitCode::success;
}

void add_merge(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* command = app.add_subcommand(
      "merge", "Make one database of several, of one sweep or of sweeps over the same images");
  command->add_option("databases", options->databases, "Results databases")->required();
  command->add_option("-o,--output", options->output, "The database to make")->required();
  command->callback([options, &result] { result = merge(*options); });
}

struct ExportOptions {
  std::filesystem::path database;
  std::filesystem::path model;
  std::optional<std::string> trial;
  std::filesystem::path csv;
  std::filesystem::path tensorboard;
  std::filesystem::path trace;
};

ExitCode export_results(const ExportOptions& options) {
  if (!options.model.empty()) export_model(options.database, options.trial, options.model);
  results::ResultsReader reader(options.database);
  if (!options.csv.empty()) {
    export_csv(reader, options.csv);
    fmt::print("{} written\n", options.csv.string());
  }
  if (!options.tensorboard.empty()) {
    export_tensorboard(reader, options.tensorboard);
    fmt::print("{0} written: tensorboard --logdir {0}\n", options.tensorboard.string());
  }
  if (!options.trace.empty()) {
    export_trace(reader, options.trace);
    fmt::print("{} written: open it in https://ui.perfetto.dev\n", options.trace.string());
  }
  return ExitCode::success;
}

void add_export(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write a trained network, or the results, for other programs");
  command->add_option("database", options->database, "The results database")->required();
  auto* forms = command->add_option_group("forms");
  auto* model = forms->add_option("-o,--output", options->model,
                                  "A folder for the network, which needs no ranksweep then");
  CLI::Option* trial = command->add_option(
      "--trial", options->trial, "The first digits of a trial's identity, instead of the best");
  command
      ->add_flag_callback(
          "--best", [] {}, "Export the network of the best trial, as without --trial")
      ->needs(model)
      ->excludes(trial->needs(model));
  forms->add_option("--csv", options->csv, "A folder for every table and view as CSV");
  forms->add_option("--tensorboard", options->tensorboard,
                    "A folder for TensorBoard's event files");
  forms->add_option("--trace", options->trace,
                    "A JSON file of what each rank did when, for Perfetto or Chrome");
  forms->require_option(1, 4);
  command->callback([options, &result] { result = export_results(*options); });
}

}  // namespace

void add_database_commands(CLI::App& app, ExitCode& result) {
  add_import(app, result);
  add_merge(app, result);
  add_export(app, result);
}

}  // namespace ranksweep::cli
