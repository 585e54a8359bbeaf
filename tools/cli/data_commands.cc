#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sweeps/sweep_file.h"
#include "tools/cli/commands.h"
#include "tools/make_faces/make_faces.h"
#include "worker/data/data_check.h"

namespace ranksweep::cli {
namespace {

ExitCode draw_faces(const make_faces::MakeFacesOptions& options) {
  try {
    make_faces::make_faces(options);
  } catch (const std::invalid_argument& error) {
    throw CommandError(ExitCode::bad_input, error.what());
  }
  fmt::print("{} persons with {} smiling and {} neutral faces each drawn into {}\n",
             options.persons, options.pairs, options.pairs, options.folder.string());
  return ExitCode::success;
}

void add_make_faces(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<make_faces::MakeFacesOptions>();
  CLI::App* command = app.add_subcommand(
      "make-faces", "Draw smiling and neutral faces, to try ranksweep out without data");
  command->add_option("folder", options->folder, "Where train/ and val/ are made")->required();
  command->add_option("--persons", options->persons, "How many; none is in both splits")
      ->capture_default_str();
  command->add_option("--pairs", options->pairs, "Smiling and neutral faces of each person")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Another seed draws other persons")
      ->capture_default_str();
  command->add_option("--size", options->size, "Pixels a side")->capture_default_str();
  command->callback([options, &result] { result = draw_faces(*options); });
}

struct CheckOptions {
  std::filesystem::path path;  // of a data set, or of a sweep that names one
  std::optional<double> validation_fraction;
  std::string format = "table";
};

sweeps::DataSpec data_of(const CheckOptions& options) {
  const std::string extension = options.path.extension().string();
  if (extension == ".yaml" || extension == ".yml") {
    sweeps::DataSpec data = sweeps::load_sweep_file(options.path).sweep.data;
    if (data.path.empty()) {
      throw CommandError(ExitCode::bad_input,
                         fmt::format("{} has no `data` to check; `ranksweep check` shows the plan",
                                     options.path.string()));
    }
    return data;
  }
  sweeps::DataSpec data;
  data.path = std::filesystem::absolute(options.path);
  data.validation_fraction = options.validation_fraction;
  return data;
}

ExitCode check_data(const CheckOptions& options) {
  const worker::DataReport report = worker::check_data(worker::list_data_set(data_of(options)));
  // Replacing what is no UTF-8: a file may have any name.
  fmt::print("{}", options.format == "json"
                       ? worker::to_json(report).dump(2, ' ', false,
                                                      nlohmann::json::error_handler_t::replace) +
                             "\n"
                       : worker::to_text(report));
  return report.has_leakage() ? ExitCode::leakage : ExitCode::success;
}

void add_data_check(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* data = app.add_subcommand("data", "Look at a data set");
  data->require_subcommand(1);
  CLI::App* command = data->add_subcommand(
      "check", "Count, and find bad files, duplicates and leakage; exit status 1 on leakage");
  command->add_option("path", options->path, "A data folder, a CSV manifest, or a sweep file")
      ->required();
  command->add_option("--validation-fraction", options->validation_fraction,
                      "Split a folder without train/ and val/, or a manifest without splits");
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([options, &result] { result = check_data(*options); });
}

}  // namespace

void add_data_commands(CLI::App& app, ExitCode& result) {
  add_make_faces(app, result);
  add_data_check(app, result);
}

}  // namespace ranksweep::cli
