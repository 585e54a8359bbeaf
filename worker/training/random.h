#pragma once

#include <cstdint>
#include <vector>

#include "worker/data/mix.h"

// Every random number of a training run is a function of the trial's seed and of where it is used
// (epoch, step), never of what was drawn before. So a run that goes on in the middle of an epoch
// draws what it would have drawn without the interruption.
namespace ranksweep::worker {

// The order in which the `count` training images are taken in `epoch`: a permutation of
// 0 .. count - 1 by Fisher and Yates' shuffle.
std::vector<std::int64_t> epoch_order(std::int64_t count, std::int64_t seed, int epoch);

}  // namespace ranksweep::worker
