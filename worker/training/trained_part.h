#pragma once

#include <vector>

#include <torch/torch.h>

#include "worker/training/optimizer.h"
#include "worker/training/trial_features.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// The part of a trial's network that an epoch trains, and what it is given of the images: features,
// where all before it is frozen and they are kept, or the images themselves.
class TrainedPart {
 public:
  // All must outlive it.
  TrainedPart(const sweeps::TrialSpec& spec, const TrainingData& data, TrialModel& model,
              Optimizer& optimizer, TrialFeatures& features);

  // Freezes the blocks that `epoch`, counted from 1, does not train, and gets the features, which
  // may take a pass over the images.
  void begin_epoch(int epoch);

  // In the order of the forward pass.
  std::vector<torch::Tensor> parameters();
  // Statistics of batch normalisation that a step changes.
  std::vector<torch::Tensor> buffers();

  // [N, F] on the device; undefined where the images themselves are wanted.
  const torch::Tensor& train_features() const { return train_features_; }
  const torch::Tensor& validation_features() const { return validation_features_; }
  // Whose maps the features are. 0: they are pooled.
  int leading_blocks() const { return leading_blocks_; }

  // Of rows of train_features(), or of prepared images where there are none.
  torch::Tensor logits(const torch::Tensor& inputs);

 private:
  bool shares_leading_blocks();

  const sweeps::TrialSpec& spec_;
  const TrainingData& data_;
  TrialModel& model_;
  Optimizer& optimizer_;
  TrialFeatures& features_;
  bool base_frozen_ = model_.base_stays_frozen();  // in this epoch: the head alone is trained
  int leading_blocks_ = 0;
  torch::Tensor train_features_;
  torch::Tensor validation_features_;
};

}  // namespace ranksweep::worker
