#pragma once

#include <cstdint>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// The batches of an epoch: each of the training images once, in the epoch's order. A last batch of
// one image would leave batch normalisation without a variance, so that image joins the batch
// before it.
class EpochBatches {
 public:
  EpochBatches(std::int64_t images, const sweeps::TrialSpec& spec, int epoch);

  int count() const { return count_; }
  // The images of batch `index`, from 0: [n] of int64.
  torch::Tensor at(int index) const;

 private:
  std::int64_t size_;
  std::vector<std::int64_t> order_;
  int count_;
};

}  // namespace ranksweep::worker
