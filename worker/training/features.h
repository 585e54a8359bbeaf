#pragma once

#include <string>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// What a frozen base and the pooling make of every image of a set, in its order: [N, F]. Kept from
// trial to trial, so that trials which differ only in what comes after share one pass over the
// images. Undefined until somebody fills them in.
struct FeatureCache {
  std::string key;  // what the features are of
  torch::Tensor train;
  torch::Tensor validation;

  // Forgets features that are not of `wanted`.
  void select(const std::string& wanted);
};

// Everything that decides what features a fully frozen base gives.
std::string feature_key(const sweeps::TrialSpec& spec, const std::string& data_fingerprint,
                        const torch::Device& device);

}  // namespace ranksweep::worker
