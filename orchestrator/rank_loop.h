#pragma once

#include <functional>

#include "cluster/transport.h"
#include "orchestrator/agent.h"
#include "orchestrator/coordinator.h"

namespace ranksweep::orchestrator {

// Runs one rank until it has been told to leave and its trainer is gone: the agent, and on rank 0
// the coordinator too (null elsewhere). A stop signal interrupts the sweep. `tick` is called a few
// times a second at least, for displays; it may be empty. An idle rank sleeps up to 10 ms at a
// time, since MPI has no descriptor to wait on: a tenth of a per cent of a core, and short beside
// an epoch.
void run_rank(cluster::Transport& transport, Agent& agent, Coordinator* coordinator,
              const std::function<void(Clock::time_point)>& tick);

// Sends every rank away before, or without, a coordinator: for errors on rank 0. Returns when this
// rank's trainer is gone.
void dismiss_all_ranks(cluster::Transport& transport, Agent& agent);

}  // namespace ranksweep::orchestrator
