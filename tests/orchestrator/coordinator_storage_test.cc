// What waits for the database, and what becomes of a sweep whose database or files cannot be
// written.
#include <gmock/gmock.h>

#include "tests/orchestrator/coordinator_case.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;
using CoordinatorStorageTest = CoordinatorCase;

TEST_F(CoordinatorStorageTest, NothingIsSentBeforeItIsCommitted) {
  start(1, 1);
  store_->unavailable = true;
  flush();
  EXPECT_TRUE(transport_->sent.empty());
  store_->unavailable = false;
  flush_later();
  const auto assign = only_command_to<cluster::Assign>(0);
  EXPECT_EQ(store_->trial(0).open_attempt, assign.attempt);
  EXPECT_EQ(listener_.troubles, (std::vector<std::string>{"the disk is full", "over"}));
}

TEST_F(CoordinatorStorageTest, TrainingGoesOnToTheEndOfATrialWithoutTheDatabase) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  store_->unavailable = true;
  for (int epoch = 1; epoch <= 2; ++epoch) {
    report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch}});
    flush();
    EXPECT_EQ(only_command_to<cluster::Verdict>(0).decision, cluster::Decision::go_on);
  }
  report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = 3}});
  flush();
  EXPECT_TRUE(transport_->sent.empty());  // the trainer would delete the state it can resume from
  now_ += std::chrono::seconds(599);      // nor is its silence held against it
  flush();
  EXPECT_TRUE(store_->trial(0).epochs.empty());
  store_->unavailable = false;
  flush_later();
  EXPECT_EQ(store_->trial(0).epochs.size(), 3u);
  EXPECT_EQ(only_command_to<cluster::Verdict>(0).decision, cluster::Decision::stop);
  now_ += std::chrono::seconds(599);
  flush();
  EXPECT_TRUE(transport_->sent.empty());
}

// What a stop for the sake of storage leaves: rank 0 told to stop, rank 1 never assigned.
TEST_F(CoordinatorStorageTest, ADatabaseThatStaysAwayStopsTheSweepCleanly) {
  start(3, 2);
  flush();
  const auto first = only_command_to<cluster::Assign>(0).attempt;
  const auto second = only_command_to<cluster::Assign>(1).attempt;
  store_->unavailable = true;
  receive(1, AttemptBroken{.attempt = second, .outcome = AttemptOutcome::lost});
  flush();
  EXPECT_TRUE(sent_to(1).empty());
  now_ += std::chrono::seconds(300);
  report(0, cluster::Progress{.attempt = first});
  now_ += std::chrono::seconds(301);
  flush();
  EXPECT_EQ(only_command_to<cluster::Stop>(0).attempt, first);
  EXPECT_TRUE(sent_to(1).empty());
  report(0, cluster::Stopped{first});
  EXPECT_THROW(flush(), results::StoreUnavailable);
  EXPECT_TRUE(transport_->sent.empty());

  store_->unavailable = false;
  restart(1);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(0).trial, plan_.trials[0].id);
}

TEST_F(CoordinatorStorageTest, ADamagedDatabaseIsNotWaitedFor) {
  start(1, 1);
  store_->damaged = true;
  EXPECT_THROW(flush(), results::StoreUnavailable);
  EXPECT_TRUE(transport_->sent.empty());
}

TEST_F(CoordinatorStorageTest, OnceInterruptedTheDatabaseIsWaitedForBriefly) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  store_->unavailable = true;
  coordinator_->interrupt("SIGTERM");
  flush();
  EXPECT_EQ(only_command_to<cluster::Stop>(0).attempt, attempt);
  report(0, cluster::Stopped{attempt});
  flush();
  now_ += std::chrono::seconds(6);
  EXPECT_THROW(flush(), results::StoreUnavailable);
}

TEST_F(CoordinatorStorageTest, ATrainerThatCannotWriteStopsTheSweepAndIsNoFailureOfTheTrial) {
  start(3, 2);
  flush();
  const auto first = only_command_to<cluster::Assign>(0).attempt;
  const auto second = only_command_to<cluster::Assign>(1).attempt;
  receive(0, AttemptBroken{.attempt = first,
                           .outcome = AttemptOutcome::failed,
                           .cause = "storage",
                           .message = "cannot write x: No space left on device"});
  flush();
  EXPECT_TRUE(sent_to(0).empty());
  EXPECT_EQ(only_command_to<cluster::Stop>(1).attempt, second);
  report(1, cluster::Stopped{second});
  EXPECT_THAT([&] { flush(); }, testing::ThrowsMessage<results::StoreUnavailable>(
                                    testing::HasSubstr("rank 0 on node: cannot write x")));
  EXPECT_EQ(store_->trial(0).failed_attempts, 0);
  EXPECT_EQ(store_->trial(0).state, TrialState::pending);
}

}  // namespace
}  // namespace ranksweep::orchestrator
