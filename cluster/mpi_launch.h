#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "cluster/child_process.h"

namespace ranksweep::cluster {

enum class MpiFlavour { open_mpi, open_mpi_ulfm, mpich, other };

// Where ranks are to be started.
struct LaunchPlace {
  bool in_slurm_job = false;
  bool several_nodes = false;
};

// As SLURM_JOB_ID and SLURM_JOB_NUM_NODES tell.
LaunchPlace this_place();

// The launcher and the options with which the death of a rank costs least
// (docs/decisions/0007-starting-again.md), and `options` of the user after them.
std::vector<std::string> launcher_command(MpiFlavour flavour, const LaunchPlace& place, int ranks,
                                          const std::vector<std::string>& options);

// A launcher that runs. It leads a process group of its own, so that Ctrl-C reaches us alone, and
// writes where we do. It is asked to end when we die, and killed by the destructor.
class LaunchedJob {
 public:
  // Throws std::system_error when `command` cannot be started.
  explicit LaunchedJob(const std::vector<std::string>& command);
  LaunchedJob(const LaunchedJob&) = delete;
  LaunchedJob& operator=(const LaunchedJob&) = delete;
  ~LaunchedJob();

  pid_t pid() const { return pid_; }
  // Nothing while it runs.
  std::optional<ExitStatus> exit_status();
  void send_signal(int signal);

 private:
  pid_t pid_ = -1;
  std::optional<ExitStatus> exit_status_;
};

}  // namespace ranksweep::cluster
