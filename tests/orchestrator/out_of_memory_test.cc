// What becomes of a trial for which a device has too little memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/orchestrator/coordinator_case.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::TrialState;
using testing::ElementsAre;
using testing::HasSubstr;

class OutOfMemoryTest : public CoordinatorCase {
 protected:
  void start_with(int batch_size, int trials = 1) {
    sweeps::Plan plan = plan_of(trials);
    for (sweeps::PlannedTrial& trial : plan.trials) trial.spec.batch_size = batch_size;
    start(std::move(plan), 1);
    flush();
  }
  // Into how many parts the trial's batches were to be cut; fails the attempt.
  int fail() {
    const auto assign = only_command_to<cluster::Assign>(0);
    report(0, cluster::Failed{.attempt = assign.attempt,
                              .cause = sweeps::kOutOfMemory,
                              .message = "tried to allocate 2.00 GiB"});
    flush();
    return assign.batch_parts;
  }
};

TEST_F(OutOfMemoryTest, WithoutTheSweepsLeaveTheTrialIsTriedAsItWas) {
  start_with(16);
  EXPECT_EQ(fail(), 1);
  EXPECT_EQ(fail(), 1);
  EXPECT_EQ(fail(), 1);
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_TRUE(events(sweeps::kOutOfMemory).empty());
}

TEST_F(OutOfMemoryTest, EachFailureDoublesThePartsUntilTheyHaveTwoImages) {
  execution_.on_out_of_memory = sweeps::Execution::OnOutOfMemory::accumulate;
  execution_.max_attempts = 5;
  start_with(13);
  EXPECT_EQ(fail(), 1);
  EXPECT_EQ(fail(), 2);
  EXPECT_EQ(fail(), 4);
  EXPECT_EQ(fail(), 6);
  EXPECT_EQ(fail(), 6);
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_THAT(
      events(sweeps::kOutOfMemory),
      ElementsAre(HasSubstr("in 2 parts"), HasSubstr("in 4 parts"), HasSubstr("in 6 parts")));
}

TEST_F(OutOfMemoryTest, AnotherCoordinatorGoesOnWithTheSameParts) {
  execution_.on_out_of_memory = sweeps::Execution::OnOutOfMemory::accumulate;
  start_with(16);
  fail();
  restart(1);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(0).batch_parts, 2);
}

TEST_F(OutOfMemoryTest, IsNoFaultOfTheDeviceAsLongAsPartsCanHelp) {
  execution_.on_out_of_memory = sweeps::Execution::OnOutOfMemory::accumulate;
  start_with(16, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(fail(), 1);
    finish_trial_on(0);
  }
  EXPECT_TRUE(listener_.quarantined.empty());
  EXPECT_EQ(coordinator_->ledger().counts().finished, 4);
}

TEST_F(OutOfMemoryTest, OtherFailuresChangeNoParts) {
  execution_.on_out_of_memory = sweeps::Execution::OnOutOfMemory::accumulate;
  start_with(16);
  const auto assign = only_command_to<cluster::Assign>(0);
  report(0, cluster::Failed{.attempt = assign.attempt, .cause = "internal", .message = "no"});
  flush();
  EXPECT_EQ(fail(), 1);
}

}  // namespace
}  // namespace ranksweep::orchestrator
