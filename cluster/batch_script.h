#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "cluster/slurm_profile.h"

namespace ranksweep::cluster {

// A Slurm job that runs one sweep to its end, over as many restarts as that takes; or a job array,
// each task of which does so with its share of the plan.
struct BatchJob {
  std::string name;
  std::filesystem::path program;  // ranksweep; all paths are absolute
  std::filesystem::path sweep_file;
  std::filesystem::path database;
  std::filesystem::path script;  // where the script will be
  std::string nodes = "1";       // "2", or "1-4" for what there is; of each task of an array
  std::optional<int> tasks;      // of the array; none: a single job
  int ranks_per_node = 1;
  std::optional<int> gpus_per_node;
  std::optional<int> cores_per_rank;
  std::string time;                   // as sbatch has it; empty: the partition's default
  std::chrono::seconds warning{120};  // USR1 comes so long before the end of the time
  int max_requeues = 20;
  SlurmProfile profile;
};

// The script that sbatch takes. It passes USR1 on to the ranks, which write their states and leave,
// and puts the job back into the queue when the sweep was interrupted or lost a node.
std::string batch_script(const BatchJob& job);

// The comment by which the jobs of a database are found again in the queue.
std::string job_comment(const std::filesystem::path& database);

}  // namespace ranksweep::cluster
