#include <gmock/gmock.h>

#include "tests/orchestrator/coordinator_case.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;
using testing::ElementsAre;
using testing::IsEmpty;

class CoordinatorGroupsTest : public CoordinatorCase {
 protected:
  // A plan with a trial for each number of devices, in this order.
  static sweeps::Plan plan_on(const std::vector<int>& devices) {
    sweeps::Plan plan = plan_of(static_cast<int>(devices.size()));
    for (std::size_t i = 0; i < devices.size(); ++i) plan.trials[i].spec.devices = devices[i];
    return plan;
  }
  void expect_abandoned(cluster::Rank rank, sweeps::AttemptId attempt) {
    const auto messages = sent_to(rank);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(std::get<Abandon>(messages[0]).attempt, attempt);
    receive(rank, AttemptBroken{.attempt = attempt, .outcome = AttemptOutcome::lost});
  }
  void train_to_the_end(cluster::Rank leader, sweeps::AttemptId attempt) {
    for (int epoch = 1; epoch <= 3; ++epoch) {
      report(leader, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch}});
    }
    flush();
    sent_to(leader);
  }
};

TEST_F(CoordinatorGroupsTest, AGroupIsAssignedTogetherAndLetIn) {
  start(plan_on({3, 1}), 4);
  flush();
  for (int member = 0; member < 3; ++member) {
    const auto assign = only_command_to<cluster::Assign>(member);
    EXPECT_EQ(assign.attempt, 1);
    EXPECT_EQ(assign.member, member);
    EXPECT_EQ(assign.members, 3);
    EXPECT_EQ(store_->members.at(static_cast<std::size_t>(member)).rank, member);
  }
  EXPECT_EQ(only_command_to<cluster::Assign>(3).members, 1);
  EXPECT_EQ(store_->members.size(), 3U);

  report(0, cluster::GroupToken{1, "the token"});
  flush();
  EXPECT_THAT(sent_to(0), IsEmpty());
  EXPECT_EQ(only_command_to<cluster::GroupReady>(1).token, "the token");
  EXPECT_EQ(only_command_to<cluster::GroupReady>(2).token, "the token");
  EXPECT_THAT(sent_to(3), IsEmpty());
}

TEST_F(CoordinatorGroupsTest, AGroupIsGivenGpusThatAreNearToOneAnother) {
  start(plan_on({2}), 3);
  const auto join_on = [&](cluster::Rank rank, cluster::Gpu gpu) {
    receive(rank, Hello{.host = "node", .device = "cuda:0", .gpu = std::move(gpu)});
  };
  join_on(0, {.name = "GPU-a"});
  join_on(1, {.name = "GPU-b", .near = {{"GPU-c", cluster::Nearness::nvlink}}});
  join_on(2, {.name = "GPU-c", .near = {{"GPU-b", cluster::Nearness::nvlink}}});
  flush();
  EXPECT_THAT(sent_to(0), IsEmpty());
  EXPECT_EQ(only_command_to<cluster::Assign>(1).members, 2);
  EXPECT_EQ(only_command_to<cluster::Assign>(2).members, 2);
}

TEST_F(CoordinatorGroupsTest, TheLeadersEndIsTheTrialsAndEachMembersFreesItsRank) {
  start(plan_on({2, 1, 1}), 2);
  flush();
  sent_to(0), sent_to(1);
  train_to_the_end(0, 1);
  report(1, cluster::Finished{1});
  flush();
  EXPECT_EQ(store_->trial(0).state, TrialState::running);
  EXPECT_EQ(only_command_to<cluster::Assign>(1).trial, plan_.trials[1].id);
  report(0, cluster::Finished{1});
  flush();
  EXPECT_EQ(store_->trial(0).state, TrialState::finished);
  EXPECT_EQ(only_command_to<cluster::Assign>(0).trial, plan_.trials[2].id);
}

TEST_F(CoordinatorGroupsTest, AGroupIsKeptUntilAMemberMayHaveLeftIt) {
  start(plan_on({2, 2, 1, 2}), 2);
  flush();
  const auto groups = [&] {
    return std::pair(only_command_to<cluster::Assign>(0).group,
                     only_command_to<cluster::Assign>(1).group);
  };
  EXPECT_EQ(groups(), std::pair(1L, 1L));
  train_to_the_end(0, 1);
  report(1, cluster::Finished{1});
  report(0, cluster::Finished{1});
  flush();
  EXPECT_EQ(groups(), std::pair(1L, 1L));
  report(1, cluster::Diverged{2, 1});
  report(0, cluster::Diverged{2, 1});
  flush();
  EXPECT_EQ(groups(), std::pair(1L, 1L));
  receive(1, AttemptBroken{.attempt = 3, .outcome = AttemptOutcome::lost});
  flush();
  expect_abandoned(0, 3);
  flush();
  EXPECT_EQ(groups(), std::pair(4L, 4L));
}

TEST_F(CoordinatorGroupsTest, AMemberThatDoesNotHearTheEndIsFreedByForce) {
  start(plan_on({2, 1, 1}), 2);
  flush();
  sent_to(0), sent_to(1);
  train_to_the_end(0, 1);
  report(0, cluster::Finished{1});
  flush();
  EXPECT_THAT(sent_to(1), IsEmpty());
  now_ += std::chrono::seconds(6);
  flush();
  expect_abandoned(1, 1);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(1).trial, plan_.trials[2].id);
  EXPECT_EQ(store_->trial(0).state, TrialState::finished);
}

TEST_F(CoordinatorGroupsTest, TheWidestIsStartedWhileItsRanksAreFree) {
  start(plan_on({1, 1, 2, 1}), 2);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(0).trial, plan_.trials[2].id);
  EXPECT_EQ(only_command_to<cluster::Assign>(1).trial, plan_.trials[2].id);
}

TEST_F(CoordinatorGroupsTest, AWaitingGroupKeepsRanksFromSmallerTrials) {
  start(plan_on({2, 1, 1}), 2);
  flush();
  sent_to(0), sent_to(1);
  receive(1, AttemptBroken{.attempt = 1, .outcome = AttemptOutcome::lost});
  flush();
  EXPECT_THAT(sent_to(1), IsEmpty());  // the second trial could go there
  EXPECT_EQ(std::get<results::EventNoted>(store_->log.back()).message,
            "kept for a trial on several devices");
  expect_abandoned(0, 1);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(0).trial, plan_.trials[0].id);
  EXPECT_EQ(only_command_to<cluster::Assign>(1).trial, plan_.trials[0].id);
}

TEST_F(CoordinatorGroupsTest, AKeptRankIsGivenWhatIsOverBeforeTheGroupCanStart) {
  sweeps::Plan plan = plan_on({2, 1, 1, 1, 1});
  const std::vector<double> costs = {100, 40, 35, 30, 20};
  for (std::size_t trial = 0; trial < costs.size(); ++trial) plan.trials[trial].cost = costs[trial];
  start(std::move(plan), 2);
  flush();
  for (int second = 0; second < 32; ++second) {  // rank 1 is given up, and so is the group
    now_ += std::chrono::seconds(1);
    receive(0, Heartbeat{});
    flush();
  }
  receive(0, AttemptBroken{.attempt = 1});
  flush();
  for (int epoch = 1; epoch <= 3; ++epoch) {  // the second trial takes a second for each unit
    report(0, cluster::EpochDone{.attempt = 2, .metrics = {.epoch = epoch, .seconds = 40.0 / 3}});
  }
  flush();
  report(0, cluster::Finished{2});
  flush();
  now_ += std::chrono::seconds(10);  // the third is over in 25 s
  receive(1, Hello{.host = "node", .device = "cpu", .threads = 1});
  flush();
  const auto commands = sent_commands_to(1);
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(std::get<cluster::Assign>(commands[1]).trial, plan_.trials[4].id);
}

TEST_F(CoordinatorGroupsTest, ADeadMembersGroupIsKilledAndTheTrialTriedAgain) {
  start(plan_on({2}), 2);
  flush();
  sent_to(0), sent_to(1);
  receive(1, AttemptBroken{
                 .attempt = 1, .outcome = AttemptOutcome::lost, .cause = "signal 9 (SIGKILL)"});
  flush();
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  EXPECT_THAT(sent_to(1), IsEmpty());
  expect_abandoned(0, 1);
  flush();
  EXPECT_EQ(store_->trial(0).failed_attempts, 1);
  EXPECT_EQ(only_command_to<cluster::Assign>(0).attempt, 2);
  EXPECT_EQ(only_command_to<cluster::Assign>(1).attempt, 2);
}

TEST_F(CoordinatorGroupsTest, AFailedLeadersGroupIsKilledToo) {
  start(plan_on({2}), 2);
  flush();
  sent_to(0), sent_to(1);
  receive(0, AttemptBroken{.attempt = 1, .outcome = AttemptOutcome::failed, .cause = "data"});
  flush();
  expect_abandoned(1, 1);
  flush();
  EXPECT_EQ(only_command_to<cluster::Assign>(1).attempt, 2);
}

TEST_F(CoordinatorGroupsTest, ALostRanksGroupIsKilledAndTheSweepSaysWhenTooFewAreLeft) {
  start(plan_on({2, 1}), 2);
  flush();
  sent_to(0), sent_to(1);
  for (int second = 0; second < 32; ++second) {
    now_ += std::chrono::seconds(1);
    receive(0, Heartbeat{});
    flush();
  }
  EXPECT_EQ(store_->trial(0).state, TrialState::pending);
  bool abandoned = false;
  for (const auto& message : sent_to(0)) abandoned |= std::holds_alternative<Abandon>(message);
  EXPECT_TRUE(abandoned);
  receive(0, AttemptBroken{.attempt = 1});
  flush();
  const auto alone = sent_commands_to(0);  // what still fits goes on
  ASSERT_EQ(alone.size(), 1U);
  train_to_the_end(0, 2);
  report(0, cluster::Finished{2});
  EXPECT_THAT(
      [&] {
        flush();
        flush();
      },
      testing::ThrowsMessage<NoDeviceLeft>(testing::HasSubstr("more devices than the 1")));
}

TEST_F(CoordinatorGroupsTest, AnInterruptGoesToTheLeaderWhoTellsTheOthers) {
  start(plan_on({2}), 2);
  flush();
  sent_to(0), sent_to(1);
  coordinator_->interrupt("SIGTERM");
  flush();
  EXPECT_EQ(only_command_to<cluster::Stop>(0).attempt, 1);
  EXPECT_THAT(sent_to(1), IsEmpty());
  report(1, cluster::Stopped{1});
  report(0, cluster::Stopped{1});
  flush();
  EXPECT_TRUE(coordinator_->done());
  EXPECT_EQ(store_->trial(0).failed_attempts, 0);
}

TEST_F(CoordinatorGroupsTest, AnyMembersWordShowsThatTheGroupLives) {
  start(plan_on({2}), 2);
  flush();
  sent_to(0), sent_to(1);
  for (int second = 0; second < 1000; ++second) {
    now_ += std::chrono::seconds(1);
    receive(0, Heartbeat{});
    receive(1, Heartbeat{});
    if (second % 100 == 0) report(1, cluster::Progress{.attempt = 1});
    flush();
  }
  EXPECT_THAT(sent_commands_to(0), IsEmpty());
  EXPECT_EQ(store_->trial(0).state, TrialState::running);
}

TEST_F(CoordinatorGroupsTest, ADatabaseThatIsAwayTakesBackAWholeGroup) {
  start(plan_on({2}), 2);
  store_->unavailable = true;
  flush();
  EXPECT_TRUE(transport_->sent.empty());
  now_ += std::chrono::seconds(601);
  EXPECT_THROW(flush(), results::StoreUnavailable);
  for (const auto& [rank, wire] : transport_->sent) {
    EXPECT_FALSE(std::holds_alternative<cluster::Command>(decode_coordinator_message(wire)));
  }
}

TEST_F(CoordinatorGroupsTest, MoreDevicesThanRanksAreAnErrorBeforeAnyTraining) {
  start(plan_on({1, 3}), 2);
  EXPECT_THAT([&] { flush(); }, testing::ThrowsMessage<TooFewDevices>(testing::HasSubstr(
                                    "devices: 3, but the ranks that may train one trial together "
                                    "are at most 2")));
  EXPECT_TRUE(transport_->sent.empty());
}

}  // namespace
}  // namespace ranksweep::orchestrator
