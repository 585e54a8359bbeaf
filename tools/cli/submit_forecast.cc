#include "tools/cli/submit_forecast.h"

#include <string>

#include <fmt/format.h>

#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

constexpr bool kWithCuda = RANKSWEEP_WITH_CUDA;

std::string preemption_forecast(const Cluster& cluster) {
  const auto& [settings, partition, node] = cluster;
  if (!settings->preempts || partition->preempt_mode == "OFF") {
    return "jobs of this partition are not preempted";
  }
  const std::string mode = partition->preempt_mode;
  if (mode == "REQUEUE" || mode == "CANCEL") {
    if (settings->warns_before_preemption && partition->grace.count() > 0) {
      return fmt::format(
          "when it is preempted, states are written in the {} of grace, and the job "
          "is requeued",
          duration_text(static_cast<double>(partition->grace.count())));
    }
    const char* reason = partition->grace.count() == 0
                             ? "this partition has no grace time"
                             : "SlurmctldParameters has no preempt_send_user_signal";
    const char* end = mode == "REQUEUE" ? "Slurm requeues it" : "submit it again";
    return fmt::format(
        "when it is preempted, it gets no warning ({}): {}, and the sweep goes on "
        "from the last states on disk (`execution: checkpoint_interval`)",
        reason, end);
  }
  return fmt::format("PreemptMode={}: when it is preempted, it stops and goes on by itself", mode);
}

}  // namespace

Cluster ask_cluster(const cluster::SlurmProfile& profile, bool dry_run) {
  if (!cluster::slurm_is_here()) {
    if (dry_run) {
      fmt::print(stderr, "warning: Slurm is not here, so nothing is known of the cluster\n");
      return {};
    }
    throw CommandError(ExitCode::unfit,
                       "there is no Slurm here: scontrol is not in PATH. Submit from a login node "
                       "of the cluster, or look at the script with --dry-run");
  }
  Cluster found{.settings = cluster::slurm_settings(),
                .partition = cluster::slurm_partition(profile.partition)};
  if (!found.partition && !profile.partition.empty()) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("the cluster has no partition `{}`; sinfo lists those it has",
                                   profile.partition));
  }
  if (found.partition) {
    found.node = cluster::slurm_node(found.partition->name);
  }
  return found;
}

void print_forecast(const cluster::BatchJob& job, const Cluster& cluster) {
  const std::string ranks = count_text(job.ranks_per_node, "rank");
  const std::string places = job.tasks ? fmt::format("{} of 1 node", count_text(*job.tasks, "task"))
                                       : job.nodes + (job.nodes == "1" ? " node" : " nodes");
  fmt::print(stderr, "ranks: {}, {} on each{}{}\n", places, ranks,
             job.gpus_per_node ? fmt::format(", {}", count_text(*job.gpus_per_node, "GPU")) : "",
             job.cores_per_rank
                 ? fmt::format(", {} a rank", count_text(*job.cores_per_rank, "core"))
                 : "");
  if (job.tasks) {
    fmt::print(stderr, "each task trains its share of the plan; {} is made when all are done\n",
               job.database.string());
  }
  if (job.gpus_per_node && !kWithCuda) {
    fmt::print(stderr,
               "warning: this ranksweep was built without CUDA and will not use the GPUs\n");
  }
  fmt::print(stderr,
             "before the time limit: states are written {} ahead of it, and the job requeues "
             "itself, {} times at most\n",
             duration_text(static_cast<double>(job.warning.count())), job.max_requeues);
  if (!cluster.settings || !cluster.partition) {
    return;
  }
  const auto& partition = *cluster.partition;
  const auto limit = partition.default_time ? partition.default_time : partition.longest_time;
  fmt::print(stderr, "Slurm {}: partition {}{}, time limit {}\n", cluster.settings->version,
             partition.name, job.profile.partition.empty() ? " (the default)" : "",
             !job.time.empty() ? job.time
             : limit ? duration_text(static_cast<double>(limit->count())) + " (the default)"
                     : "none");
  fmt::print(stderr, "preemption: {}\n", preemption_forecast(cluster));
  if (!cluster.settings->requeue) {
    fmt::print(stderr,
               "requeueing: off unless a job asks for it, as this one does; where that is refused, "
               "the job submits a successor\n");
  }
}

}  // namespace ranksweep::cli
