#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <signal.h>
#include <thread>

#include <fmt/format.h>

#include "cluster/mpi_launch.h"
#include "cluster/signals.h"
#include "results/sweep_store.h"
#include "results/writer_lock.h"
#include "tools/cli/commands.h"
#include "tools/cli/launch_verdict.h"
#include "tools/cli/run_options.h"

namespace ranksweep::cli {
namespace {

using std::chrono::milliseconds;

struct LaunchOptions {
  RunOptions run;
  int ranks = 1;
  int most_fruitless = 3;
  std::vector<std::string> launcher_options;
};

// A first signal asks the ranks to write their states: every launcher passes SIGUSR1 on and kills
// nobody for it. A second one is impatience.
cluster::ExitStatus wait_for(cluster::LaunchedJob& job) {
  int passed_on = 0;
  while (true) {
    if (const auto status = job.exit_status()) {
      return *status;
    }
    if (cluster::stop_signals() > passed_on) {
      job.send_signal(passed_on == 0 ? SIGUSR1 : SIGTERM);
      passed_on = cluster::stop_signals();
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
}

// Ranks of a launcher that was killed leave by themselves, a moment later.
void wait_for_the_last_coordinator(const std::filesystem::path& database) {
  for (int i = 0; i < 100; ++i) {
    try {
      const results::WriterLock lock(database);
      return;
    } catch (const results::StoreError&) {
      std::this_thread::sleep_for(milliseconds(100));  // if it stays so, the next `run` says it
    }
  }
}

std::optional<ExitCode> take_exit_code(const std::filesystem::path& file) {
  int code = 0;
  const bool told = static_cast<bool>(std::ifstream(file) >> code);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return told ? std::optional(static_cast<ExitCode>(code)) : std::nullopt;
}

ExitCode launch(LaunchOptions options) {
  cluster::catch_stop_signals();
  const std::filesystem::path exit_code_file = options.run.database.string() + ".exit";
  options.run.exit_code_file = exit_code_file;
  const std::vector<std::string> command =
      launch_command(options.ranks, options.launcher_options, options.run);
  EndedLaunch last{.before = results::read_progress(options.run.database)};
  while (true) {
    {
      take_exit_code(exit_code_file);  // an earlier one's
      cluster::LaunchedJob job(command);
      last.status = wait_for(job);
    }
    last.told = take_exit_code(exit_code_file);
    last.after = results::read_progress(options.run.database);
    last.told_to_stop = cluster::stop_signals() > 0;
    const Verdict verdict = judge(last, options.most_fruitless);
    if (!verdict.problem.empty()) {
      throw CommandError(*verdict.exit_code, verdict.problem);
    }
    if (verdict.exit_code) {
      return *verdict.exit_code;
    }
    fmt::print(stderr, "ranksweep: {} ended with {} before the sweep was done; starting it again\n",
               command.front(), last.status.describe());
    wait_for_the_last_coordinator(options.run.database);
    last = {.before = last.after, .fruitless = verdict.fruitless};
  }
}

}  // namespace

void add_launch_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<LaunchOptions>();
  CLI::App* command = app.add_subcommand(
      "launch", "Run a sweep on several ranks, and start it again when they or the launcher die");
  command->add_option("-n,--ranks", options->ranks, "Ranks: one a GPU, or a few for a CPU")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  add_run_options(*command, options->run);
  command
      ->add_option("--fruitless", options->most_fruitless,
                   "Launches in a row that train no epoch before it gives up")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("launcher", options->launcher_options,
                      "After --: options for mpirun, such as --hostfile FILE");
  command->callback([options, &result] { result = launch(*options); });
}

}  // namespace ranksweep::cli
