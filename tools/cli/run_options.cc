#include "tools/cli/run_options.h"

#include "cluster/mpi_launch.h"
#include "cluster/mpi_transport.h"

namespace ranksweep::cli {

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("sweep", options.sweep_file, "The sweep file (YAML)")->required();
  command
      .add_option("--db", options.database,
                  "The results database; made when it is not there, gone on with when it is")
      ->required();
  command.add_option("--device", options.device, "auto takes a GPU a rank where there are any")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--scratch", options.scratch,
                     "A folder on each node's own disk for decoded images and features, which are "
                     "removed at the end; left out: the cache, which is kept");
  command.add_option("--publish", options.publish,
                     "Keep a copy of the database here, renewed every few seconds, for readers");
  command.add_flag("--small", options.small,
                   "Only the three smallest trials, for four epochs at most, to try things out");
  command.add_option("--exit-code-file", options.exit_code_file,
                     "Write the exit code here too: launchers may not pass it on");
}

std::vector<std::string> launch_command(int ranks, const std::vector<std::string>& launcher_options,
                                        const RunOptions& options) {
  std::vector<std::string> command = cluster::launcher_command(
      cluster::mpi_flavour(), cluster::this_place(), ranks, launcher_options);
  command.insert(command.end(), {std::filesystem::read_symlink("/proc/self/exe").string(), "run",
                                 options.sweep_file.string(), "--db", options.database.string(),
                                 "--device", options.device});
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
