#pragma once

#include <string>

namespace ranksweep::cluster {

std::string host_name();

// Whether a launcher (mpirun, srun) started this process as a rank. Without one, MPI is not even
// initialised: a sweep of one rank needs none.
bool launched_by_mpi();

// Whether this process is a child of mpirun or of its daemon on another node.
bool started_by_open_mpi();

// The CPU cores that the ranks of this node may use together. Open MPI binds each rank it starts to
// a core or a socket, for the sake of MPI programs that compute; our ranks only supervise, so their
// share is counted from what the launcher itself was allowed.
int cores_of_node();

// Lets this process, and so the trainers it starts, run on all of cores_of_node().
void undo_launcher_binding();

// The threads of one of `trainers` trainers that share `cores`: at least one.
int threads_for_each(int cores, int trainers);

}  // namespace ranksweep::cluster
