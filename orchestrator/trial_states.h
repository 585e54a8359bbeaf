#pragma once

#include <optional>

#include "sweeps/trial_history.h"

namespace ranksweep::orchestrator {

// What can happen to a trial.
enum class TrialEvent {
  dispatched,      // an attempt was given to an agent
  finished,        // its attempt reached the last epoch
  diverged,        // its loss became NaN or infinite
  attempt_broken,  // its attempt failed or was lost, another is allowed
  given_up,        // its attempt failed or was lost, no other is allowed
  interrupted,     // its attempt was stopped, or cut off with the coordinator
  excused,         // it was given up, but a device was at fault
};

// The one table of legal transitions. Nothing for what must never happen: a trial that has ended is
// never dispatched, one that finished or diverged never changes, one that is not running cannot
// end.
std::optional<sweeps::TrialState> next_state(sweeps::TrialState state, TrialEvent event);

}  // namespace ranksweep::orchestrator
