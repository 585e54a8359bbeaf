#pragma once

#include <optional>
#include <string>

#include "cluster/child_process.h"
#include "results/sweep_progress.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {

// What `launch` knows when a launcher has ended.
struct EndedLaunch {
  cluster::ExitStatus status;     // of the launcher
  std::optional<ExitCode> told;   // by rank 0; none: it died, or could not write
  results::SweepProgress before;  // the database when it was started
  results::SweepProgress after;
  bool told_to_stop = false;  // by a signal that we passed on
  int fruitless = 0;          // launches in a row, before this one, that added nothing
};

struct Verdict {
  std::optional<ExitCode> exit_code;  // none: start again
  int fruitless = 0;                  // launches in a row that added nothing, this one included
  std::string problem;                // for people, when `launch` is what fails
};

// Whether the sweep is done, must stop or goes on. The database decides where it can: Open MPI 5
// calls a job that lost a node a success, and others call one a failure that finished without a
// lost rank.
Verdict judge(const EndedLaunch& launch, int most_fruitless);

}  // namespace ranksweep::cli
