#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestrator/clock.h"

// The Slurm job that this process is part of, where there is one.
namespace ranksweep::cli {

// When the sweep will be told to stop: the end of the job, less the time by which the batch script
// is warned ($RANKSWEEP_STOP_AHEAD). Nothing without a job or a time limit.
std::optional<orchestrator::Clock::time_point> deadline_of_job();

// For the provenance: "Slurm job": "7", "Slurm requeues": "1", "Slurm nodes": "node[1-2]".
std::map<std::string, std::string> facts_of_job();

}  // namespace ranksweep::cli
