#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sweeps/sweep_file.h"
#include "sweeps/trial_id.h"

namespace ranksweep::sweeps {

struct PlannedTrial {
  TrialId id;
  Trial spec;
  double cost = 1;  // expected work, in any unit, the same for the whole plan
  // Trials with the same number share the passes of a frozen base, which cost so much. Whoever
  // comes first runs them; in `cost` the first of the plan is charged for them.
  std::optional<int> base = {};
  double base_cost = 0;
  // What its training holds at once: so much, and so much more for each image of a device's part of
  // a batch. 0: not known.
  double memory_bytes = 0;
  double memory_bytes_per_image = 0;
};

// A sweep's trials with their identities, in the order of the grid.
struct Plan {
  std::string sweep_name;
  std::string data_fingerprint;  // of an external trainer's sweep also of its command and inputs
  std::vector<std::string> swept;
  std::vector<PlannedTrial> trials;
};

Plan make_plan(const SweepFile& file, const std::string& data_fingerprint);

// "simple_cnn full lr=0.001 flip": the values of the swept parameters, the short name people see.
std::string describe(const Trial& trial, const std::vector<std::string>& swept);

}  // namespace ranksweep::sweeps
