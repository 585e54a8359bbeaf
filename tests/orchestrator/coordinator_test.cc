#include "orchestrator/coordinator.h"

#include <gmock/gmock.h>

#include "tests/orchestrator/coordinator_case.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;
using CoordinatorTest = CoordinatorCase;

TEST_F(CoordinatorTest, RanksAreKeptForWhatComesAfterTheLastTrial) {
  start(1, 2);
  coordinator_->keep_ranks(true);
  flush();
  finish_trial_on(0);
  flush();
  EXPECT_FALSE(coordinator_->done());
  EXPECT_TRUE(sent_to(0).empty());
  coordinator_->keep_ranks(false);
  flush();
  EXPECT_TRUE(coordinator_->done());
}

TEST_F(CoordinatorTest, GivesEachRankATrialAndDismissesAllAtTheEnd) {
  start(3, 2);
  flush();
  finish_trial_on(0);
  finish_trial_on(1);
  EXPECT_FALSE(coordinator_->done());
  finish_trial_on(0);
  EXPECT_TRUE(std::holds_alternative<Shutdown>(sent_to(0).at(0)));
  EXPECT_TRUE(std::holds_alternative<Shutdown>(sent_to(1).at(0)));
  EXPECT_TRUE(coordinator_->done());
  EXPECT_EQ(coordinator_->ledger().counts().finished, 3);
}

TEST_F(CoordinatorTest, NoTrialStartsThatWouldGetNowhereBeforeTheDeadline) {
  deadline_ = now_ + std::chrono::minutes(10);
  start(3, 1);
  flush();
  finish_trial_on(0);
  // What is left is less than the checkpoint interval of a minute.
  now_ += std::chrono::seconds(545);
  finish_trial_on(0);
  flush();
  EXPECT_TRUE(coordinator_->interrupted());
  EXPECT_TRUE(coordinator_->done());
  EXPECT_EQ(coordinator_->ledger().counts().finished, 2);
  EXPECT_EQ(coordinator_->ledger().counts().pending, 1);
}

TEST_F(CoordinatorTest, ALongStartOfTrialsCountsMoreThanTheCheckpointInterval) {
  deadline_ = now_ + std::chrono::minutes(100);
  start(3, 2);
  flush();
  const auto slow = only_command_to<cluster::Assign>(0).attempt;
  report(0, cluster::Started{.attempt = slow});
  for (int minute = 1; minute <= 40; ++minute) {  // the pass of a frozen base
    now_ += std::chrono::minutes(1);
    report(0, cluster::Progress{.attempt = slow, .epoch = 0});
  }
  report(0, cluster::Progress{.attempt = slow, .epoch = 1});
  now_ += std::chrono::minutes(25);
  report(0, cluster::Progress{.attempt = slow, .epoch = 1});
  finish_trial_on(1);
  flush();
  EXPECT_FALSE(coordinator_->interrupted());  // rank 0 still trains
  EXPECT_EQ(coordinator_->ledger().counts().running, 1);
  EXPECT_EQ(coordinator_->ledger().counts().pending, 1);
}

TEST_F(CoordinatorTest, AShortTimeIsNotSpentOnNothing) {
  deadline_ = now_ + std::chrono::seconds(20);
  start(1, 1);
  flush();
  EXPECT_EQ(sent_commands_to(0).size(), 1u);
}

TEST_F(CoordinatorTest, PredictionsAreKeptAndWrongOnesCostTheAttempt) {
  start(2, 1);
  flush();
  for (const int best : {1, 2}) {  // all losses are equal, so the first epoch is the best
    const auto attempt = only_command_to<cluster::Assign>(0).attempt;
    report(0, cluster::Started{.attempt = attempt});
    for (int epoch = 1; epoch <= 3; ++epoch) {
      report(0,
             cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch, .val_images = 4}});
    }
    flush();
    sent_to(0);
    report(0, cluster::Predicted{
                  .attempt = attempt, .epoch = best, .predictions = {.images = 4, .classes = 2}});
    if (best == 1) report(0, cluster::Finished{attempt});
    flush();
  }
  ASSERT_EQ(store_->predictions.size(), 1U);
  EXPECT_EQ(store_->predictions[0].trial, plan_.trials[0].id);
  EXPECT_EQ(store_->trial(0).state, TrialState::finished);
  const auto abandon = std::get<Abandon>(sent_to(0).at(0));
  EXPECT_THAT(abandon.message, testing::HasSubstr("of epoch 2 and 4 images"));
}

TEST_F(CoordinatorTest, RecordsWhatAnAttemptRunsWith) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  report(0, cluster::Started{
                .attempt = attempt, .precision = "bfloat16", .memory_format = "channels_last"});
  flush();
  ASSERT_EQ(store_->descriptions.size(), 1u);
  EXPECT_EQ(store_->descriptions[0].attempt, attempt);
  EXPECT_EQ(store_->descriptions[0].precision, "bfloat16");
  EXPECT_EQ(store_->descriptions[0].memory_format, "channels_last");
}

TEST_F(CoordinatorTest, TellsOfThePassesOfFrozenBases) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  report(0, cluster::BasePasses{.attempt = attempt, .used = 3, .run = 1});
  EXPECT_EQ(listener_.passes_used, 3);
}

TEST_F(CoordinatorTest, TheVerdictStopsATrialAtItsLastEpoch) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch}});
    flush();
    EXPECT_EQ(only_command_to<cluster::Verdict>(0).decision,
              epoch < 3 ? cluster::Decision::go_on : cluster::Decision::stop);
  }
}

TEST_F(CoordinatorTest, ABrokenAttemptIsTriedAgainWithWhatIsKnown) {
  start(1, 1);
  flush();
  const auto first = only_command_to<cluster::Assign>(0);
  report(0, cluster::EpochDone{.attempt = first.attempt, .metrics = {.epoch = 1}});
  flush();
  sent_to(0);
  receive(0, AttemptBroken{.attempt = first.attempt,
                           .outcome = AttemptOutcome::lost,
                           .cause = "signal 9 (SIGKILL)"});
  flush();
  const auto second = only_command_to<cluster::Assign>(0);
  EXPECT_GT(second.attempt, first.attempt);
  EXPECT_EQ(second.known_epochs, 1);
  EXPECT_EQ(second.directory, first.directory);

  // The resume state was older: epoch 1 is trained again.
  report(0, cluster::Started{.attempt = second.attempt, .resumed_from = 0});
  flush();
  EXPECT_TRUE(store_->trial(0).epochs.empty());
}

TEST_F(CoordinatorTest, AIdleRankStaysUntilTheLastTrialEnds) {
  start(1, 2);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  EXPECT_TRUE(sent_to(1).empty());
  receive(0, AttemptBroken{.attempt = attempt, .outcome = AttemptOutcome::failed});
  flush();
  finish_trial_on(0);
  EXPECT_TRUE(coordinator_->done());
}

TEST_F(CoordinatorTest, LateMessagesOfAnAttemptThatIsOverAreIgnored) {
  start(2, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  receive(0, AttemptBroken{.attempt = attempt, .outcome = AttemptOutcome::lost});
  report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = 1}});
  report(0, cluster::Finished{attempt});
  receive(0, AttemptBroken{.attempt = attempt, .outcome = AttemptOutcome::lost});
  flush();
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  EXPECT_TRUE(store_->trial(0).epochs.empty());
}

TEST_F(CoordinatorTest, ATrainerThatBreaksTheProtocolIsAbandoned) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = 5}});
  flush();
  const auto abandon = std::get<Abandon>(sent_to(0).at(0));
  EXPECT_EQ(abandon.attempt, attempt);
  EXPECT_EQ(abandon.message, "epoch 5 was reported where epoch 1 was due");
  // Nothing counts until the agent has killed it.
  report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = 1}});
  flush();
  EXPECT_TRUE(sent_to(0).empty());
  receive(0, AttemptBroken{.attempt = attempt,
                           .outcome = AttemptOutcome::lost,
                           .cause = abandon.cause,
                           .message = abandon.message});
  flush();
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  EXPECT_TRUE(store_->trial(0).epochs.empty());
}

TEST_F(CoordinatorTest, AnEndBeforeItsTimeIsNoEnd) {
  start(1, 1);
  flush();
  report(0, cluster::Finished{only_command_to<cluster::Assign>(0).attempt});
  flush();
  EXPECT_TRUE(std::holds_alternative<Abandon>(sent_to(0).at(0)));
  EXPECT_EQ(store_->trial(0).state, TrialState::running);
}

class SilentTrainerTest : public CoordinatorCase {
 protected:
  // The rank lives, its trainer says nothing. Returns what it is told, without what keeps leases.
  std::vector<CoordinatorMessage> pass(std::chrono::seconds time) {
    for (std::chrono::seconds passed{0}; passed < time; ++passed) {
      now_ += std::chrono::seconds(1);
      receive(0, Heartbeat{});
      flush();
    }
    auto messages = sent_to(0);
    std::erase_if(messages,
                  [](const auto& each) { return std::holds_alternative<LeaseRenewed>(each); });
    return messages;
  }
};

TEST_F(SilentTrainerTest, IsAbandonedOnce) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  EXPECT_TRUE(pass(std::chrono::seconds(599)).empty());
  report(0, cluster::Progress{.attempt = attempt});
  EXPECT_TRUE(pass(std::chrono::seconds(599)).empty());
  const auto told = pass(std::chrono::seconds(2));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(std::get<Abandon>(told[0]).cause, "no progress");
  EXPECT_EQ(std::get<Abandon>(told[0]).message, "the trainer said nothing for 600 s");
  EXPECT_TRUE(pass(std::chrono::seconds(601)).empty());
}

TEST_F(SilentTrainerTest, IsWaitedForByItsOwnEpochsOnceItHasTrainedOne) {
  start(1, 1);
  flush();
  const auto attempt = only_command_to<cluster::Assign>(0).attempt;
  report(0, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = 1, .seconds = 20}});
  flush();
  sent_to(0);
  EXPECT_TRUE(pass(std::chrono::seconds(200)).empty());
  EXPECT_EQ(pass(std::chrono::seconds(1)).size(), 1u);
}

TEST_F(SilentTrainerTest, TimeInWhichTheCoordinatorDidNotRunIsNoSilence) {
  start(1, 1);
  flush();
  only_command_to<cluster::Assign>(0);
  now_ += std::chrono::hours(8);
  flush();
  EXPECT_TRUE(sent_to(0).empty());
}

TEST_F(CoordinatorTest, AnInterruptStopsWhatRunsAndStartsNothing) {
  start(3, 2);
  flush();
  const auto first = only_command_to<cluster::Assign>(0).attempt;
  const auto second = only_command_to<cluster::Assign>(1).attempt;
  coordinator_->interrupt("SIGTERM");
  coordinator_->interrupt("SIGTERM");
  flush();
  EXPECT_EQ(only_command_to<cluster::Stop>(0).attempt, first);
  EXPECT_EQ(only_command_to<cluster::Stop>(1).attempt, second);
  report(0, cluster::Stopped{first});
  report(1, cluster::Stopped{second});
  flush();
  EXPECT_TRUE(coordinator_->done());
  EXPECT_EQ(coordinator_->ledger().counts().pending, 3);
  EXPECT_EQ(store_->trial(0).failed_attempts, 0);
}

TEST_F(CoordinatorTest, AKilledCoordinatorGoesOnWithEveryTrialOnce) {
  start(2, 1);
  flush();
  finish_trial_on(0);
  const auto cut_off = only_command_to<cluster::Assign>(0).attempt;
  restart(1);
  flush();
  const auto again = only_command_to<cluster::Assign>(0);
  EXPECT_GT(again.attempt, cut_off);
  EXPECT_EQ(again.trial, plan_.trials[1].id);
  EXPECT_EQ(store_->trial(1).failed_attempts, 0);
}

// A trial is finished when its trainer says that the best weights are safe, not before.
TEST_F(CoordinatorTest, AnAttemptLostAfterItsLastEpochReportsThatEpochAgain) {
  start(1, 1);
  flush();
  const auto first = only_command_to<cluster::Assign>(0).attempt;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    report(0, cluster::EpochDone{.attempt = first, .metrics = {.epoch = epoch}});
  }
  flush();
  sent_to(0);
  receive(0, AttemptBroken{.attempt = first, .outcome = AttemptOutcome::lost});
  flush();
  EXPECT_EQ(store_->trial(0).state, TrialState::running);
  const auto second = only_command_to<cluster::Assign>(0);
  EXPECT_EQ(second.known_epochs, 2);
  report(0, cluster::EpochDone{.attempt = second.attempt, .metrics = {.epoch = 3}});
  flush();
  EXPECT_EQ(only_command_to<cluster::Verdict>(0).decision, cluster::Decision::stop);
  report(0, cluster::Finished{second.attempt});
  flush();
  EXPECT_EQ(store_->trial(0).state, TrialState::finished);
  EXPECT_EQ(store_->trial(0).epochs.size(), 3u);
}

TEST_F(CoordinatorTest, AHeartbeatIsAnsweredEvenWhenNothingCanBeCommitted) {
  start(1, 1);
  store_->unavailable = true;
  flush();
  receive(0, Heartbeat{});
  EXPECT_EQ(std::get<LeaseRenewed>(sent_to(0).at(0)).seconds, 30);
}

TEST_F(CoordinatorTest, ASilentRankIsGivenUpAndItsTrialGoesElsewhere) {
  start(1, 2);
  flush();
  const auto lost = only_command_to<cluster::Assign>(0).attempt;
  pass_without_a_word_from_rank_0(std::chrono::seconds(29));
  EXPECT_TRUE(sent_commands_to(1).empty());
  pass_without_a_word_from_rank_0(std::chrono::seconds(2));
  EXPECT_EQ(coordinator_->ranks_lost(), 1);
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  const auto again = std::get<cluster::Assign>(sent_commands_to(1).at(0)).attempt;
  EXPECT_GT(again, lost);

  // What the lost rank still says does not count, and it is told so.
  report(0, cluster::EpochDone{.attempt = lost, .metrics = {.epoch = 1}});
  receive(0, AttemptBroken{.attempt = lost, .outcome = AttemptOutcome::lost});
  receive(0, Heartbeat{});
  flush();
  EXPECT_TRUE(store_->trial(0).epochs.empty());
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  const auto answers = sent_to(0);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Rejoin>(answers[0]));
}

TEST_F(CoordinatorTest, ALostRankMayComeBack) {
  start(2, 2);
  flush();
  pass_without_a_word_from_rank_0(std::chrono::seconds(31));
  sent_to(0);
  receive(0, Hello{.host = "node", .device = "cpu", .threads = 1});
  flush();
  EXPECT_EQ(coordinator_->ranks_lost(), 0);
  finish_trial_on(0);
  EXPECT_EQ(store_->trial(0).state, TrialState::finished);
}

TEST_F(CoordinatorTest, TheLastRanksLeaveWithoutTheLost) {
  start(1, 2);
  flush();
  pass_without_a_word_from_rank_0(std::chrono::seconds(31));
  const auto attempt = std::get<cluster::Assign>(sent_commands_to(1).at(0)).attempt;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    report(1, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch}});
  }
  report(1, cluster::Finished{attempt});
  flush();
  EXPECT_TRUE(std::get<Shutdown>(sent_to(1).back()).ranks_lost);
  EXPECT_TRUE(coordinator_->done());
}

TEST_F(CoordinatorTest, ADivergedTrialIsNotTriedAgain) {
  start(1, 1);
  flush();
  report(0, cluster::Diverged{.attempt = only_command_to<cluster::Assign>(0).attempt, .epoch = 1});
  flush();
  EXPECT_EQ(store_->trial(0).state, TrialState::diverged);
  EXPECT_TRUE(coordinator_->done());
}

TEST_F(CoordinatorTest, AFinishedSweepDismissesEveryRankAtOnce) {
  start(0, 3);
  flush();
  EXPECT_TRUE(coordinator_->done());
}

}  // namespace
}  // namespace ranksweep::orchestrator
