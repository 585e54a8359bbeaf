// ranksweep: the command line.
#include <CLI/CLI.hpp>

#include "tools/cli/commands.h"

namespace ranksweep::cli {
namespace {

ExitCode run(int argc, char** argv) {
  CLI::App app(
      "Trains a grid of image classifiers on the ranks of an MPI job and ranks them by their\n"
      "minimum validation loss. `ranksweep init` writes a sweep file to start from.",
      "ranksweep");
  app.set_version_flag("--version", "ranksweep " RANKSWEEP_VERSION);
  app.require_subcommand(1);
  app.footer(kExitCodeHelp);
  ExitCode result = ExitCode::success;
  add_run_command(app, result);
  add_launch_command(app, result);
  add_drill_command(app, result);
  add_plan_commands(app, result);
  add_result_commands(app, result);
  add_database_commands(app, result);
  add_serve_command(app, result);
  add_data_commands(app, result);
  add_predict_command(app, result);
  add_ensemble_command(app, result);
  add_slurm_commands(app, result);
  add_doctor_command(app, result);
  add_bench_command(app, result);
  add_trainer_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::success : ExitCode::bad_input;
  }
  return result;
}

}  // namespace
}  // namespace ranksweep::cli

int main(int argc, char** argv) {
  using namespace ranksweep::cli;
  try {
    return static_cast<int>(run(argc, argv));
  } catch (...) {
    return static_cast<int>(tell_error());
  }
}
