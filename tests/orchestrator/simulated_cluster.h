#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sweeps/plan.h"

namespace ranksweep::testing {

// What trials really take, which the costs of a plan only estimate.
struct TrueTimes {
  std::vector<double> seconds;         // of each trial, on its devices, without a frozen base
  std::map<int, double> base_seconds;  // of the passes of each frozen base, on one device
};

struct SimulatedCluster {
  int ranks = 8;  // a GPU each
  int ranks_per_host = 8;
  double start_s = 0;  // from an assignment to the first step
};

struct SimulatedSweep {
  double makespan_s = 0;
  // No schedule is shorter: the longest trial, or all work (each base once) divided by the devices.
  double bound_s = 0;
  double trained_s = 0;                  // device seconds in trials
  std::map<std::string, double> idle_s;  // device seconds, by reason

  double ratio() const { return makespan_s / bound_s; }
};

// Runs the plan with the real coordinator, in virtual time: agents and trainers answer after the
// time that they would take, and nothing else takes any. So the same plan gives the same schedule
// on any machine. A base runs once on each host that trains one of its trials.
SimulatedSweep simulate(const sweeps::Plan& plan, const TrueTimes& times,
                        const SimulatedCluster& cluster);

// A sweep of everything: six architectures, costs over two decades, 1, 2, 4 and 8 devices, a third
// of the trials heads that share frozen bases. Estimates are wrong by up to `error`, as a fraction,
// for each architecture and each trial.
struct MixedSweep {
  sweeps::Plan plan;
  TrueTimes times;
};
MixedSweep mixed_sweep(int trials, double error, std::uint32_t seed);

}  // namespace ranksweep::testing
