// How near the schedules of the real coordinator come to the shortest ones, in virtual time.

#include <gtest/gtest.h>

#include "tests/orchestrator/fakes.h"
#include "tests/orchestrator/simulated_cluster.h"

namespace ranksweep::testing {
namespace {

TEST(Scheduling, AMixedSweepIsNearTheShortestSchedule) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    const MixedSweep sweep = mixed_sweep(1000, 0.2, seed);
    const SimulatedSweep done = simulate(sweep.plan, sweep.times, {.ranks = 64});
    EXPECT_LT(done.ratio(), 1.05);
  }
}

TEST(Scheduling, EverySecondOfEveryDeviceIsAccountedFor) {
  const MixedSweep sweep = mixed_sweep(200, 0.2, 1);
  constexpr int kRanks = 32;
  const SimulatedSweep done = simulate(sweep.plan, sweep.times, {.ranks = kRanks});
  double accounted = done.trained_s;
  for (const auto& [reason, seconds] : done.idle_s) accounted += seconds;
  EXPECT_NEAR(accounted, done.makespan_s * kRanks, 1e-6 * accounted);
}

// A trial that takes as long as all others together must not come last, be it small or wide.
TEST(Scheduling, ALongTrialIsNotLeftForTheEnd) {
  for (const int devices : {1, 8}) {
    SCOPED_TRACE(devices);
    MixedSweep sweep{.plan = orchestrator::plan_of(161), .times = {}};
    sweep.times.seconds.assign(161, 10);
    for (sweeps::PlannedTrial& trial : sweep.plan.trials) trial.cost = 10;
    sweep.times.seconds.back() = 100;
    sweep.plan.trials.back().spec.devices = devices;
    sweep.plan.trials.back().cost = 100 * devices;
    const SimulatedSweep done = simulate(sweep.plan, sweep.times, {.ranks = 16});
    EXPECT_LT(done.ratio(), 1.2);
  }
}

// With one rank a host, each head that leaves its base's host runs the base once more.
TEST(Scheduling, HeadsStayWithTheirBase) {
  MixedSweep sweep{.plan = orchestrator::plan_of(80), .times = {}};
  for (std::size_t i = 0; i < 80; ++i) {
    sweeps::PlannedTrial& trial = sweep.plan.trials[i];
    trial.spec.training = sweeps::TrainingMode::frozen;
    trial.base = static_cast<int>(i / 10);
    trial.base_cost = 100;
    trial.cost = i % 10 == 0 ? 110 : 10;
    sweep.times.base_seconds[*trial.base] = 100;
    sweep.times.seconds.push_back(10);
  }
  const SimulatedSweep done = simulate(sweep.plan, sweep.times, {.ranks = 4, .ranks_per_host = 1});
  EXPECT_DOUBLE_EQ(done.trained_s, 8 * 100 + 80 * 10);
  EXPECT_NEAR(done.ratio(), 1, 1e-9);
}

}  // namespace
}  // namespace ranksweep::testing
