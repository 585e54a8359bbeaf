#pragma once

#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/training/training_step.h"

namespace ranksweep::worker {

// What a step took, in seconds: by the clock on the wall, and of all threads' processor time.
struct StepTime {
  double wall = 0;
  double processor = 0;
};

// Times `steps` steps of `spec`'s training on random images of two classes, after one that warms
// up: images prepared, forward and backward pass, optimizer. With a base that stays frozen a step
// is its pass over kEvaluationBatch images, the part of such a trial that takes the time. The
// weights are random, spec.weights is not read. Throws c10::Error, std::invalid_argument as
// TrialModel does.
std::vector<StepTime> time_steps(const sweeps::TrialSpec& spec, const StepOptions& options,
                                 int steps);

}  // namespace ranksweep::worker
