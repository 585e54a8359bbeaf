#pragma once

namespace ranksweep::cluster {

// Catches SIGINT, SIGTERM and SIGUSR1 from now on: mpirun passes the last two to all ranks, Slurm
// sends any of them ahead of a time limit. Ignores SIGPIPE, since a trainer may die at any moment.
void catch_stop_signals();

// The signal that asked this process to stop, or 0.
int stop_signal();

// How many have come. A second one is impatience.
int stop_signals();

}  // namespace ranksweep::cluster
