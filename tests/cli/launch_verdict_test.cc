#include "tools/cli/launch_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

using testing::HasSubstr;

constexpr int kMostFruitless = 2;
const cluster::ExitStatus kKilled{.signal = 9};
const results::SweepProgress kNothing{};
const results::SweepProgress kBegun{.invocations = 1, .open_trials = 3, .work_done = 10};

results::SweepProgress done(std::int64_t failed) {
  return {.invocations = 2, .open_trials = 0, .failed_trials = failed, .work_done = 40};
}

TEST(LaunchVerdict, TheDatabaseDecidesWhetherASweepIsDoneWhateverTheLauncherSays) {
  for (const cluster::ExitStatus status : {cluster::ExitStatus{}, {.code = 137}, kKilled}) {
    EXPECT_EQ(judge({status, {}, kBegun, done(0)}, kMostFruitless).exit_code, ExitCode::success);
    EXPECT_EQ(judge({status, {}, kBegun, done(2)}, kMostFruitless).exit_code,
              ExitCode::trials_failed);
  }
}

TEST(LaunchVerdict, ALauncherThatGaveUpIsStartedAgain) {
  auto after = kBegun;
  after.invocations = 2;
  after.work_done = 11;
  for (const cluster::ExitStatus status :
       {cluster::ExitStatus{}, {.code = 1}, {.code = 137}, kKilled}) {
    const Verdict verdict = judge({status, {}, kBegun, after, false, 2}, kMostFruitless);
    EXPECT_EQ(verdict.exit_code, std::nullopt);
    EXPECT_EQ(verdict.fruitless, 0);
  }
}

TEST(LaunchVerdict, LaunchesThatTrainNothingComeToAnEnd) {
  auto after = kBegun;
  after.invocations = 2;
  EndedLaunch launch{kKilled, {}, kBegun, after};
  for (int i = 1; i <= kMostFruitless; ++i) {
    const Verdict verdict = judge(launch, kMostFruitless);
    ASSERT_EQ(verdict.exit_code, std::nullopt);
    launch.fruitless = verdict.fruitless;
  }
  const Verdict verdict = judge(launch, kMostFruitless);
  EXPECT_EQ(verdict.exit_code, ExitCode::unfit);
  EXPECT_THAT(verdict.problem, HasSubstr("signal 9 (SIGKILL)"));
}

TEST(LaunchVerdict, WhatRunRefusesAnotherLaunchWouldNotChange) {
  for (const int code : {2, 3, 75}) {
    const auto expected = static_cast<ExitCode>(code);
    for (const EndedLaunch& launch : {EndedLaunch{{.code = code}, {}, kBegun, kBegun},
                                      EndedLaunch{{.code = 0}, expected, kBegun, kBegun}}) {
      const Verdict verdict = judge(launch, kMostFruitless);
      EXPECT_EQ(verdict.exit_code, expected);
      EXPECT_EQ(verdict.problem, "");
    }
  }
}

TEST(LaunchVerdict, ALauncherThatCannotStartTheSweepIsNotTriedAgain) {
  const Verdict verdict = judge({{.code = 1}, {}, kNothing, kNothing}, kMostFruitless);
  EXPECT_EQ(verdict.exit_code, ExitCode::unfit);
  EXPECT_THAT(verdict.problem, HasSubstr("exit status 1 before the sweep began"));
}

TEST(LaunchVerdict, ADoneSweepThatWasRefusedIsNoSuccess) {
  EXPECT_EQ(judge({{.code = 2}, {}, done(0), done(0)}, kMostFruitless).exit_code,
            ExitCode::bad_input);
}

TEST(LaunchVerdict, AStopOnRequestIsNotStartedAgain) {
  EXPECT_EQ(judge({kKilled, {}, kNothing, kBegun, true}, kMostFruitless).exit_code,
            ExitCode::interrupted);
}

}  // namespace
}  // namespace ranksweep::cli
