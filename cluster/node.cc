#include "cluster/node.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace ranksweep::cluster {
namespace {

// The process whose set of cores counts: Open MPI's launcher or its daemon on this node when one
// started us, since they are not bound themselves; else this process.
pid_t process_with_the_node_cores() { return started_by_open_mpi() ? ::getppid() : 0; }

cpu_set_t node_cores() {
  cpu_set_t own;
  CPU_ZERO(&own);
  ::sched_getaffinity(0, sizeof(own), &own);
  cpu_set_t launcher;
  CPU_ZERO(&launcher);
  if (::sched_getaffinity(process_with_the_node_cores(), sizeof(launcher), &launcher) != 0) {
    return own;
  }
  CPU_OR(&launcher, &launcher, &own);
  return launcher;
}

}  // namespace

bool launched_by_mpi() {
  // Open MPI 4 and 5, MPICH's hydra and PMI under srun, PMIx under srun.
  constexpr std::array kVariables = {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"};
  return std::any_of(kVariables.begin(), kVariables.end(),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

bool started_by_open_mpi() {
  constexpr std::array<std::string_view, 6> kLaunchers = {"mpirun", "mpiexec", "orterun",
                                                          "orted",  "prterun", "prted"};
  std::ifstream file(fmt::format("/proc/{}/comm", ::getppid()));
  std::string parent;
  std::getline(file, parent);
  return std::any_of(kLaunchers.begin(), kLaunchers.end(),
                     [&](std::string_view name) { return parent.starts_with(name); });
}

std::string host_name() {
  std::array<char, 256> name = {};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

int cores_of_node() {
  const cpu_set_t cores = node_cores();
  return std::max(1, CPU_COUNT(&cores));
}

void undo_launcher_binding() {
  const cpu_set_t cores = node_cores();
  ::sched_setaffinity(0, sizeof(cores), &cores);
}

int threads_for_each(int cores, int trainers) { return std::max(1, cores / std::max(1, trainers)); }

}  // namespace ranksweep::cluster
