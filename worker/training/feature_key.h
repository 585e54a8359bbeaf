#pragma once

#include <string>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/training/feature_pass.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// Everything that decides the bits of a pass of `spec`'s base on this node, and nothing
// else: trials with equal keys share the pass. As JSON, for people who look into the cache.
// `precision` and `memory_format` are those in use.
std::string feature_key(const sweeps::TrialSpec& spec, sweeps::Precision precision,
                        sweeps::MemoryFormat memory_format, const TrainingData& data,
                        const torch::Device& device, const FeaturePass& pass);

// What decides the weights that a frozen base starts with, and keeps.
std::string base_key(const sweeps::TrialSpec& spec);

}  // namespace ranksweep::worker
