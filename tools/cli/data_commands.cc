#include <memory>

#include <fmt/format.h>

#include "tools/cli/commands.h"
#include "tools/make_faces/make_faces.h"

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

}  // namespace

void add_data_commands(CLI::App& app, ExitCode& result) { add_make_faces(app, result); }

}  // namespace ranksweep::cli
