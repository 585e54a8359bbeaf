#pragma once

#include <optional>

#include "cluster/batch_script.h"
#include "cluster/slurm.h"

// What `submit` finds out about the cluster, and tells the user of what will happen there.
namespace ranksweep::cli {

// What the cluster says of itself; empty where there is no Slurm, as on the laptop of a dry run.
struct Cluster {
  std::optional<cluster::SlurmSettings> settings;
  std::optional<cluster::SlurmPartition> partition;
  cluster::SlurmNode node;
};

// Throws CommandError where there is no Slurm, unless nothing will be submitted, or no such
// partition.
Cluster ask_cluster(const cluster::SlurmProfile& profile, bool dry_run);

void print_forecast(const cluster::BatchJob& job, const Cluster& cluster);

}  // namespace ranksweep::cli
