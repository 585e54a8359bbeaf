#pragma once

#include <vector>

#include "sweeps/trial_history.h"
#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// What the learning rates are multiplied by in `epoch` (counted from 1). `history` holds the epochs
// before it; only the plateau schedule looks at them, and draws everything it knows from them.
//   step     factor ^ ((epoch - 1) / every), rounded down
//   cosine   epoch / warmup_epochs while warming up; then, with t from 0 to 1 over the other
//   epochs,
//            minimum + (1 - minimum) * (1 + cos(pi t)) / 2
//            (Loshchilov and Hutter, SGDR, 2016, one period)
//   plateau  as Keras' ReduceLROnPlateau without cooldown
double schedule_factor(const sweeps::TrialSpec& spec, int epoch,
                       const std::vector<sweeps::EpochMetrics>& history);

}  // namespace ranksweep::worker
