#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What Slurm says about itself and about jobs, through its commands: they are the interface that
// stays the same over Slurm's versions, unlike its library.
namespace ranksweep::cluster {

// Whether Slurm's commands are in PATH.
bool slurm_is_here();

// "8:00:00", "30" (minutes), "1-12", "2-00:30": a time limit as Slurm reads and prints it. Nothing
// for UNLIMITED, INVALID and other words.
std::optional<std::chrono::seconds> parse_time_limit(const std::string& text);

// How the cluster is set up, as far as it concerns a job that requeues itself.
struct SlurmSettings {
  std::string version;
  bool requeue = true;                   // JobRequeue
  bool preempts = false;                 // PreemptType is not none
  bool warns_before_preemption = false;  // preempt_send_user_signal
};

struct SlurmPartition {
  std::string name;
  std::optional<std::chrono::seconds> default_time;
  std::optional<std::chrono::seconds> longest_time;
  std::string preempt_mode = "OFF";  // what happens to its jobs: OFF, REQUEUE, CANCEL, SUSPEND, ...
  std::chrono::seconds grace{0};     // between the signal and the preemption
  int nodes = 0;
};

// What each node of a partition has at least.
struct SlurmNode {
  int cores = 0;
  int gpus = 0;
};

struct SlurmJob {
  std::string id;         // "7", or "7_2" for a task of an array
  std::string state;      // PENDING, RUNNING, ...
  std::string reason;     // why it waits
  std::string time_left;  // as Slurm prints it
  std::string nodes;
  int restarts = 0;
};

// Each asks Slurm; throws std::runtime_error with what the command said when that fails.
SlurmSettings slurm_settings();
std::optional<SlurmPartition> slurm_partition(const std::string& name);  // empty: the default one
SlurmNode slurm_node(const std::string& partition);
// The jobs in the queue that a user's batch scripts started for `database`, the oldest first.
std::vector<SlurmJob> slurm_jobs_of(const std::filesystem::path& database);
// When the job must be over. Nothing where there is no limit, or Slurm does not answer.
std::optional<std::chrono::system_clock::time_point> slurm_end_of_job(const std::string& id);

// What the functions above make of the commands' output.
SlurmSettings parse_settings(const std::string& scontrol_show_config);
std::vector<SlurmPartition> parse_partitions(const std::string& scontrol_show_partition,
                                             std::string& default_name);
SlurmNode parse_nodes(const std::string& sinfo_cores_and_gres);
// "JobId=7 JobState=RUNNING ...": one record of `scontrol --oneliner`.
std::map<std::string, std::string> parse_record(const std::string& line);

}  // namespace ranksweep::cluster
