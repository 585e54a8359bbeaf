#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ranksweep::cluster {

// How a sweep's ranks are started on a cluster.
enum class Launcher {
  mpirun,     // of the MPI that ranksweep was built with
  srun_pmix,  // srun --mpi=pmix: Open MPI
  srun_pmi2,  // srun --mpi=pmi2: MPICH and what descends from it
};

// What is the same for all sweeps on a cluster: cluster/profiles/ has examples, docs/slurm.md
// explains each key.
struct SlurmProfile {
  Launcher launcher = Launcher::mpirun;
  std::vector<std::string> launcher_options;
  std::vector<std::string> modules;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string partition;            // empty: the cluster's default
  std::string account;              // empty: the user's default
  std::string scratch;              // a node's own folder, with $VARIABLES; empty: none
  std::vector<std::string> sbatch;  // further options: "--constraint=a100"
};

// Reads a profile. Throws sweeps::SweepError with every mistake and its place.
SlurmProfile parse_slurm_profile(const std::string& source, const std::filesystem::path& file);
SlurmProfile load_slurm_profile(const std::filesystem::path& file);

// Where a user's profile is looked for: ranksweep/cluster.yaml in $XDG_CONFIG_HOME or ~/.config.
std::filesystem::path default_slurm_profile();

}  // namespace ranksweep::cluster
