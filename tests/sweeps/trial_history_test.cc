#include "sweeps/trial_history.h"

#include <stdexcept>

#include <gmock/gmock.h>

namespace ranksweep::sweeps {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(TrialHistory, EveryStateHasANameOfItsOwn) {
  for (const auto state : {TrialState::pending, TrialState::running, TrialState::finished,
                           TrialState::diverged, TrialState::failed}) {
    EXPECT_EQ(trial_state_from(name_of(state)), state);
  }
  EXPECT_STREQ(name_of(TrialState::diverged), "diverged");
}

TEST(TrialHistory, EveryOutcomeHasANameOfItsOwn) {
  for (const auto outcome :
       {AttemptOutcome::finished, AttemptOutcome::diverged, AttemptOutcome::failed,
        AttemptOutcome::lost, AttemptOutcome::interrupted}) {
    EXPECT_EQ(attempt_outcome_from(name_of(outcome)), outcome);
  }
  EXPECT_STREQ(name_of(AttemptOutcome::interrupted), "interrupted");
}

TEST(TrialHistory, AnUnknownNameIsRefusedWithThoseAllowed) {
  EXPECT_THAT([] { trial_state_from("lost"); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("allowed are pending, running, finished, diverged, failed")));
  EXPECT_THAT([] { attempt_outcome_from(""); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'' is no outcome of an attempt")));
}

}  // namespace
}  // namespace ranksweep::sweeps
