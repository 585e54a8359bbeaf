#pragma once

#include <CLI/CLI.hpp>

#include "tools/cli/exit_code.h"

// The sub-commands of `ranksweep`, a file each or a few that belong together. Each function adds
// its commands to `app`; the one that is called leaves its exit code in `result`.
namespace ranksweep::cli {

void add_run_command(CLI::App& app, ExitCode& result);
void add_launch_command(CLI::App& app, ExitCode& result);
void add_drill_command(CLI::App& app, ExitCode& result);
void add_plan_commands(CLI::App& app, ExitCode& result);      // check, init
void add_result_commands(CLI::App& app, ExitCode& result);    // rank, report, status, ...
void add_database_commands(CLI::App& app, ExitCode& result);  // import-keras, merge, export
void add_serve_command(CLI::App& app, ExitCode& result);
void add_data_commands(CLI::App& app, ExitCode& result);  // make-faces, data
void add_predict_command(CLI::App& app, ExitCode& result);
void add_ensemble_command(CLI::App& app, ExitCode& result);
void add_slurm_commands(CLI::App& app, ExitCode& result);  // submit, cancel
void add_doctor_command(CLI::App& app, ExitCode& result);
void add_bench_command(CLI::App& app, ExitCode& result);
void add_trainer_commands(CLI::App& app);  // models, preview

}  // namespace ranksweep::cli
