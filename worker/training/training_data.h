#pragma once

#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/data/decoded_split.h"

namespace ranksweep::worker {

// Images [N, H, W, 3] of uint8, RGB, and the index of each one's class [N] of int64. On the CPU;
// often a view of a memory-mapped file, never written to.
struct ImageSet {
  torch::Tensor images;
  torch::Tensor labels;

  std::int64_t size() const { return labels.numel(); }
};

struct TrainingData {
  ImageSet train;
  ImageSet validation;
  std::vector<std::string> classes;
  std::string fingerprint;
  std::vector<BadFile> skipped;       // images that could not be decoded, left out
  std::shared_ptr<const void> owner;  // of the memory behind the images
};

// The normalisation of a trial: its own, else the one of its architecture.
sweeps::Normalization normalization_of(const sweeps::TrialSpec& spec);

}  // namespace ranksweep::worker
