#include "tools/cli/run_options.h"

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "cluster/mpi_launch.h"
#include "cluster/mpi_transport.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

}  // namespace

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("sweep", options.sweep_file, "The sweep file (YAML)")->required();
  command
      .add_option("--db", options.database,
                  "The results database; made when it is not there, gone on with when it is")
      ->required();
  command.add_option("--device", options.device, "auto takes a GPU a rank where there are any")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command
      .add_option("--trials-per-gpu", options.trials_per_gpu,
                  "So many ranks may share a GPU, for trials that are too small to fill one")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--scratch", options.scratch,
                     "A folder on each node's own disk for decoded images and features, which are "
                     "removed at the end; left out: the cache, which is kept");
  command.add_option("--publish", options.publish,
                     "Keep a copy of the database here, renewed every few seconds, for readers");
  command
      .add_option(
          "--journal", options.journal,
          "What makes commits atomic: rollback works everywhere; wal, a write-ahead log, is "
          "quicker where all readers are on this host and the disk is a local one; auto "
          "takes wal where a probe shows that it works")
      ->check(CLI::IsMember({"rollback", "wal", "auto"}))
      ->capture_default_str();
  command.add_flag("--small", options.small,
                   "Only the three smallest trials, for four epochs at most, to try things out");
  command.add_option("--exit-code-file", options.exit_code_file,
                     "Write the exit code here too: launchers may not pass it on");
}

results::Journal choose_journal(const RunOptions& options) {
  if (options.journal == "rollback") return results::Journal::rollback;
  const auto ask = [](const std::filesystem::path& database, const std::string& sql) {
    return cluster::output_of({this_program(), "query", database.string(), sql});
  };
  const std::string reason =
      results::why_no_wal(std::filesystem::absolute(options.database).parent_path(), ask);
  if (!reason.empty() && options.journal == "wal") {
    throw CommandError(
        ExitCode::unfit,
        fmt::format("{}: --journal wal does not work there: {}. Take --journal rollback, which "
                    "works everywhere, or auto",
                    options.database.string(), reason));
  }
  return reason.empty() ? results::Journal::wal : results::Journal::rollback;
}

std::vector<std::string> launch_command(int ranks, const std::vector<std::string>& launcher_options,
                                        const RunOptions& options) {
  std::vector<std::string> command = cluster::launcher_command(
      cluster::mpi_flavour(), cluster::this_place(), ranks, launcher_options);
  command.insert(command.end(),
                 {this_program(), "run", options.sweep_file.string(), "--db",
                  options.database.string(), "--device", options.device, "--journal",
                  options.journal, "--trials-per-gpu", fmt::format("{}", options.trials_per_gpu)});
  if (!options.scratch.empty()) {
    command.insert(command.end(), {"--scratch", options.scratch.string()});
  }
  if (!options.publish.empty()) {
    command.insert(command.end(), {"--publish", options.publish.string()});
  }
  if (!options.exit_code_file.empty()) {
    command.insert(command.end(), {"--exit-code-file", options.exit_code_file.string()});
  }
  if (options.small) {
    command.emplace_back("--small");
  }
  return command;
}

}  // namespace ranksweep::cli
