// ranksweep: the command line.
#include <exception>
#include <functional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "results/sweep_store.h"
#include "sweeps/sweep_spec.h"
#include "tools/cli/commands.h"
#include "worker/data/data_set.h"

namespace ranksweep::cli {
namespace {

ExitCode complain(const std::exception& error, ExitCode code) {
  fmt::print(stderr, "ranksweep: {}\n", error.what());
  return code;
}

// Whose fault an error is decides the exit code.
ExitCode with_errors_told(const std::function<ExitCode()>& command) {
  try {
    return command();
  } catch (const CommandError& error) {
    return complain(error, error.code());
  } catch (const sweeps::SweepError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return ExitCode::bad_input;
  } catch (const worker::DataError& error) {
    return complain(error, ExitCode::bad_input);
  } catch (const results::StoreUnavailable& error) {
    return complain(error, ExitCode::unfit);
  } catch (const results::StoreError& error) {
    return complain(error, ExitCode::bad_input);
  } catch (const std::exception& error) {
    return complain(error, ExitCode::unfit);
  }
}

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
  add_plan_commands(app, result);
  add_result_commands(app, result);
  add_database_commands(app, result);
  add_serve_command(app, result);
  add_data_commands(app, result);
  add_predict_command(app, result);
  add_slurm_commands(app, result);
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
  return static_cast<int>(with_errors_told([&] { return run(argc, argv); }));
}
