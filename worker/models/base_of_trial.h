#pragma once

#include "sweeps/trial_spec.h"
#include "worker/models/base.h"

// What a trial's base is: an architecture of ours by its name, or one from a TorchScript file.
// Functions throw std::invalid_argument when there is no such architecture, or the file is none.
namespace ranksweep::worker {

void build_base(const sweeps::TrialSpec& spec, Base& base);

// For an image of the trial's size. Throws c10::Error when that is too small.
PassCost measure_base(const sweeps::TrialSpec& spec);

// How images are prepared for the base where the trial does not say.
sweeps::Normalization own_normalization(const sweeps::TrialSpec& spec);

}  // namespace ranksweep::worker
