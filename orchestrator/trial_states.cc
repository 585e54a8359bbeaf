#include "orchestrator/trial_states.h"

#include <array>

namespace ranksweep::orchestrator {
namespace {

using sweeps::TrialState;

struct Transition {
  TrialState from;
  TrialEvent event;
  TrialState to;
};

constexpr std::array kTransitions = {
    Transition{TrialState::pending, TrialEvent::dispatched, TrialState::running},
    Transition{TrialState::running, TrialEvent::finished, TrialState::finished},
    Transition{TrialState::running, TrialEvent::diverged, TrialState::diverged},
    Transition{TrialState::running, TrialEvent::attempt_broken, TrialState::pending},
    Transition{TrialState::running, TrialEvent::given_up, TrialState::failed},
    Transition{TrialState::running, TrialEvent::interrupted, TrialState::pending},
    Transition{TrialState::failed, TrialEvent::excused, TrialState::pending},
};

}  // namespace

std::optional<TrialState> next_state(TrialState state, TrialEvent event) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == state && transition.event == event) {
      return transition.to;
    }
  }
  return std::nullopt;
}

}  // namespace ranksweep::orchestrator
