#include "cluster/mpi_launch.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <string_view>
#include <system_error>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "cluster/start_report.h"

namespace ranksweep::cluster {
namespace {

// Root, as in a container, and more ranks than cores are fine: ranks only supervise. Open MPI 4 and
// 5 want to be told; a user's own setting stays.
void allow_what_a_sweep_may() {
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
  ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  ::setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 0);
  ::setenv("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe", 0);
}

// Becomes the launcher. Only what is safe after fork().
[[noreturn]] void become(char* const* arguments, const StartReport& report, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);  // a group in the background may not read from the terminal
    ::execvp(arguments[0], arguments);
  }
  report.fail(errno);
}

}  // namespace

LaunchPlace this_place() {
  const char* nodes = std::getenv("SLURM_JOB_NUM_NODES");
  return {.in_slurm_job = std::getenv("SLURM_JOB_ID") != nullptr,
          .several_nodes = nodes != nullptr && std::atoi(nodes) > 1};
}

std::vector<std::string> launcher_command(MpiFlavour flavour, const LaunchPlace& place, int ranks,
                                          const std::vector<std::string>& options) {
  std::vector<std::string> command;
  if (flavour == MpiFlavour::open_mpi) {
    command = {"mpirun"};
    // With a host file of the user's, there may be other nodes.
    if (!place.several_nodes && options.empty()) {
      command.emplace_back("--enable-recovery");
    }
  } else if (flavour == MpiFlavour::open_mpi_ulfm) {
    command = {"mpirun", "--with-ft", "ulfm"};
  } else if (flavour == MpiFlavour::mpich && place.in_slurm_job) {
    command = {"srun", "--mpi=pmi2", "--kill-on-bad-exit=0"};
  } else {
    command = {"mpiexec"};
  }
  command.insert(command.end(), {"-n", std::to_string(ranks)});
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

LaunchedJob::LaunchedJob(const std::vector<std::string>& command) {
  allow_what_a_sweep_may();
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execvp's signature, it does not write
  }
  arguments.push_back(nullptr);
  StartReport report;
  const pid_t parent = ::getpid();
  pid_ = ::fork();  // posix_spawn has no signal for the parent's death
  if (pid_ == 0) {
    become(arguments.data(), report, parent);
  }
  const int error = pid_ < 0 ? errno : report.wait();
  if (error != 0) {
    if (pid_ > 0) {
      ::waitpid(pid_, nullptr, 0);
    }
    throw std::system_error(error, std::generic_category(), command.front());
  }
}

LaunchedJob::~LaunchedJob() {
  if (!exit_status()) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::optional<ExitStatus> LaunchedJob::exit_status() {
  int status = 0;
  if (!exit_status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_status_ = ExitStatus::from_wait(status);
  }
  return exit_status_;
}

void LaunchedJob::send_signal(int signal) {
  if (!exit_status()) {
    ::kill(pid_, signal);
  }
}

}  // namespace ranksweep::cluster
