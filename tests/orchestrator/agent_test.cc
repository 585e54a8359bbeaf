// The whole chain on one rank: coordinator, agent, and a trainer process that is a stand-in.
#include "orchestrator/agent.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "orchestrator/coordinator.h"
#include "orchestrator/rank_loop.h"
#include "tests/orchestrator/fakes.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;
using testing::HasSubstr;

// Stops every ended attempt's text for the tests to look at.
class EndingsListener : public SilentListener {
 public:
  void attempt_ended(cluster::Rank, const TrialRecord&, const Ending& ending) override {
    endings.push_back(ending);
  }
  std::vector<Ending> endings;
};

class AgentTest : public testing::Test {
 protected:
  void run(const std::string& behaviour, int trials = 1) {
    run_command({SCRIPTED_TRAINER, behaviour}, trials);
  }
  void run_command(const std::vector<std::string>& command, int trials) {
    std::error_code ignored;
    std::filesystem::remove_all(checkpoints_, ignored);
    plan_ = plan_of(trials, /*epochs=*/4);
    store_ = std::make_unique<FakeStore>(plan_);
    CoordinatorOptions options;
    options.checkpoint_folder = checkpoints_;
    options.execution.silence_limit = silence_limit_;
    options.trainer = external_;
    Coordinator coordinator(plan_, options, transport_, *store_, listener_);
    Agent agent({.trainer_command = command, .hello = {.host = "here", .device = "cpu"}},
                transport_);
    run_rank(transport_, agent, &coordinator, {});
  }
  // Of this process, since its start.
  static long peak_memory_kb() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  }
  void expect_finished_at_attempt(int attempts) {
    EXPECT_EQ(store_->trial(0).state, TrialState::finished);
    EXPECT_EQ(store_->trial(0).epochs.size(), 4u);
    EXPECT_EQ(listener_.endings.size(), static_cast<std::size_t>(attempts));
  }

  std::filesystem::path checkpoints_ =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name() / "checkpoints";
  double silence_limit_ = 60;
  std::optional<sweeps::ExternalTrainer> external_;
  sweeps::Plan plan_;
  std::unique_ptr<FakeStore> store_;
  cluster::LocalTransport transport_;
  EndingsListener listener_;
};

TEST_F(AgentTest, ATrainerTrainsOneTrialAfterAnother) {
  run("well", 5);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(store_->trial(i).state, TrialState::finished);
    EXPECT_EQ(store_->trial(i).epochs.size(), 4u);
  }
}

TEST_F(AgentTest, AnExternalTrainerIsStartedInItsFolder) {
  const std::filesystem::path program = SCRIPTED_TRAINER;
  external_ = sweeps::ExternalTrainer{.command = {"./" + program.filename().string(), "well"},
                                      .folder = program.parent_path()};
  run_command({"no-such-trainer"}, 1);
  expect_finished_at_attempt(1);
}

TEST_F(AgentTest, AProgramThatIsNoTrainerIsToldWhatATrainerDoesFirst) {
  run_command({"true"}, 1);
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_EQ(listener_.endings[0].cause, "exit status 0");
  EXPECT_THAT(listener_.endings[0].message, HasSubstr("before it said `ready`"));
}

TEST_F(AgentTest, ACrashCostsOneAttempt) {
  run("crash", 3);
  expect_finished_at_attempt(6);
  EXPECT_EQ(listener_.endings[0].outcome, AttemptOutcome::lost);
  EXPECT_THAT(listener_.endings[0].cause, testing::AnyOf(HasSubstr("SIGSEGV"), HasSubstr("exit")));
  EXPECT_THAT(listener_.endings[0].output_tail, HasSubstr("about to crash"));
}

TEST_F(AgentTest, APoisonTrialIsGivenUp) {
  run("crash_always");
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_EQ(store_->trial(0).failed_attempts, 3);
}

TEST_F(AgentTest, AnExitWithoutAResultIsNoSuccess) {
  run("exit0");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].cause, "exit status 0");
}

TEST_F(AgentTest, AReportedFailureKeepsTheTrainer) {
  run("fail");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].outcome, AttemptOutcome::failed);
  EXPECT_EQ(listener_.endings[0].cause, "data");
  EXPECT_EQ(listener_.endings[0].message, "no such image");
}

TEST_F(AgentTest, GarbageOnTheSocketCostsOneAttempt) {
  run("garbage");
  expect_finished_at_attempt(2);
  EXPECT_THAT(listener_.endings[0].message, HasSubstr("not a JSON object: this is no JSON"));
}

TEST_F(AgentTest, AnEndlessLineIsCutOff) {
  run("endless_line");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].message, "a line is longer than 1048576 bytes");
}

TEST_F(AgentTest, AHugeLineIsCutOffAndTakesNoMemory) {
  const long before = peak_memory_kb();
  run("huge_line");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].message, "a line is longer than 1048576 bytes");
  EXPECT_LT(peak_memory_kb() - before, 20'000);
}

TEST_F(AgentTest, AFloodOfOutputDisturbsNothingAndTakesNoMemory) {
  run("well");  // what any sweep takes, the sanitizers' own memory among it
  listener_.endings.clear();
  const long before = peak_memory_kb();
  run("flood");
  expect_finished_at_attempt(1);
  EXPECT_LT(peak_memory_kb() - before, 4'000);
}

TEST_F(AgentTest, AFloodOfReportsDisturbsNothing) {
  run("chatter");
  expect_finished_at_attempt(1);
}

TEST_F(AgentTest, HalfALineIsNoMessage) {
  run("half_line");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].outcome, AttemptOutcome::lost);
  EXPECT_EQ(listener_.endings[0].cause, "exit status 0");
}

TEST_F(AgentTest, BytesThatAreNoTextCostOneAttempt) {
  run("binary");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].cause, "trainer protocol");
}

TEST_F(AgentTest, AnAbortIsToldByItsSignal) {
  run("abort");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].cause, "signal 6 (SIGABRT)");
}

TEST_F(AgentTest, AnEndlessLoopIsEnded) {
  silence_limit_ = 0.3;
  run("spin");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].cause, "no progress");
}

TEST_F(AgentTest, AHungTrainerIsKilled) {
  silence_limit_ = 0.3;
  run("hang");
  expect_finished_at_attempt(2);
  EXPECT_EQ(listener_.endings[0].cause, "no progress");
}

TEST_F(AgentTest, EpochsOutOfOrderAndAnEarlyEndCostOneAttempt) {
  run("skip_epoch");
  expect_finished_at_attempt(2);
  EXPECT_THAT(listener_.endings[0].message, HasSubstr("epoch 7 was reported where epoch 2"));
}

TEST_F(AgentTest, AnEarlyEndIsNoEnd) {
  run("early_end");
  expect_finished_at_attempt(2);
}

TEST_F(AgentTest, ADivergedTrialIsOver) {
  run("diverge");
  EXPECT_EQ(store_->trial(0).state, TrialState::diverged);
  EXPECT_EQ(store_->trial(0).epochs.size(), 1u);
}

TEST_F(AgentTest, ATrainerOfAnotherVersionIsRefused) {
  run("wrong_version");
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_EQ(
      listener_.endings[0].message,
      "scripted_trainer speaks version 99 of the protocol, not 1; take a version of one that fits "
      "the other");
}

TEST_F(AgentTest, NoRoomForACheckpointFolderStopsTheSweepAndIsNoFailureOfTheTrial) {
  checkpoints_ = "/dev/null/checkpoints";
  EXPECT_THAT([&] { run("well"); },
              testing::ThrowsMessage<results::StoreUnavailable>(HasSubstr(
                  "the folder for a trial's checkpoints cannot be made: Not a directory")));
  EXPECT_EQ(store_->trial(0).state, TrialState::pending);
  EXPECT_EQ(store_->trial(0).failed_attempts, 0);
}

TEST_F(AgentTest, AProgramThatIsNotThereFailsTheTrialWithItsName) {
  run_command({"/no/such/trainer"}, 1);
  EXPECT_EQ(store_->trial(0).state, TrialState::failed);
  EXPECT_THAT(listener_.endings[0].message, HasSubstr("/no/such/trainer"));
}

}  // namespace
}  // namespace ranksweep::orchestrator
