#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "worker/training/training_step.h"

namespace ranksweep::worker {

// Times training steps on random images (worker/training/step_time.h). `specs`: canonical JSON of
// trials (sweeps/trial_spec.h), in which nothing is left to `auto`. For each of them a list of
// [seconds on the wall, processor seconds], one a step; null where this machine does not compute in
// the trial's precision. Throws std::invalid_argument for what is no trial, c10::Error.
nlohmann::json describe_steps(const std::vector<std::string>& specs, const StepOptions& options,
                              int threads, int steps);

}  // namespace ranksweep::worker
