#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sweeps/trial_history.h"
#include "worker/training/loss_scaling.h"

namespace ranksweep::worker {

// Where a training run stands, weights and averages aside: enough to go on between any two steps.
struct RunState {
  int epoch = 1;  // in training, counted from 1
  // Of that epoch so far.
  int step = 0;  // steps taken
  double loss_sum = 0;
  std::int64_t correct = 0;
  std::int64_t images = 0;
  double seconds = 0;
  double data_wait_s = 0;

  std::vector<sweeps::EpochMetrics> history;  // complete epochs
  LossScale loss_scale;
};

nlohmann::json to_json(const RunState& state);
// Throws nlohmann::json::exception.
RunState run_state_from_json(const nlohmann::json& json);

// The epoch with the minimum validation loss, the first of equals; 0 before the first.
int best_epoch(const std::vector<sweeps::EpochMetrics>& history);

}  // namespace ranksweep::worker
