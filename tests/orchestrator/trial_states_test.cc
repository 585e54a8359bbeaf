#include "orchestrator/trial_states.h"

#include <array>

#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

using sweeps::TrialState;

constexpr std::array kEvents = {TrialEvent::dispatched, TrialEvent::finished,
                                TrialEvent::diverged,   TrialEvent::attempt_broken,
                                TrialEvent::given_up,   TrialEvent::interrupted,
                                TrialEvent::excused};

TEST(TrialStates, APendingTrialCanOnlyBeDispatched) {
  for (const TrialEvent event : kEvents) {
    EXPECT_EQ(next_state(TrialState::pending, event),
              event == TrialEvent::dispatched ? std::optional(TrialState::running) : std::nullopt);
  }
}

TEST(TrialStates, ARunningTrialCanEndInEveryWayButNotStartAgain) {
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::dispatched), std::nullopt);
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::finished), TrialState::finished);
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::diverged), TrialState::diverged);
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::attempt_broken), TrialState::pending);
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::given_up), TrialState::failed);
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::interrupted), TrialState::pending);
}

TEST(TrialStates, OnlyATrialThatWasGivenUpIsExcused) {
  EXPECT_EQ(next_state(TrialState::running, TrialEvent::excused), std::nullopt);
  for (const TrialEvent event : kEvents) {
    EXPECT_EQ(next_state(TrialState::failed, event),
              event == TrialEvent::excused ? std::optional(TrialState::pending) : std::nullopt);
  }
}

TEST(TrialStates, AnEndIsAnEnd) {
  for (const TrialState state : {TrialState::finished, TrialState::diverged}) {
    for (const TrialEvent event : kEvents) {
      EXPECT_EQ(next_state(state, event), std::nullopt);
    }
  }
}

}  // namespace
}  // namespace ranksweep::orchestrator
