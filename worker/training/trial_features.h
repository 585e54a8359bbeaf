#pragma once

#include <functional>

#include <torch/torch.h>

#include "worker/training/feature_key.h"
#include "worker/training/feature_store.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// What a trial's frozen base, or its leading blocks where these alone are frozen, makes of its
// images: from the store where another trial left it there, else computed, for the others too.
// Whether it is shared makes no difference to the bits.
class TrialFeatures {
 public:
  // Called during passes, and while another trainer is at one, with the images done of all; what
  // it throws ends the pass.
  using Progress = std::function<void(std::int64_t done, std::int64_t images, double seconds)>;

  TrialFeatures(const sweeps::TrialSpec& spec, TrialModel& model, const TrainingData& data,
                torch::Device device, FeatureStore& store, Progress progress);

  // [N, F] of float32 on the device, pooled features or maps (FeaturePass::leading_blocks): of the
  // training images as they are in `epoch`, counted from 1; of the validation images.
  torch::Tensor train(int epoch, int leading_blocks);
  torch::Tensor validation(int leading_blocks);

 private:
  struct Known {
    FeaturePass pass;
    torch::Tensor features;
  };

  FeaturePass train_pass(int epoch, int leading_blocks) const;
  torch::Tensor recall(Known& known, const FeaturePass& pass, int epoch);
  torch::Tensor get(const FeaturePass& pass, int epoch);
  torch::Tensor compute(const FeaturePass& pass);
  void use_the_wait(int epoch, int leading_blocks);
  std::string key_of(const FeaturePass& pass) const;
  const ImageSet& images_of(const FeaturePass& pass) const;

  const sweeps::TrialSpec& spec_;
  TrialModel& model_;
  const TrainingData& data_;
  torch::Device device_;
  FeatureStore& store_;
  Progress progress_;
  Known train_;
  Known validation_;
  const bool augmented_ = spec_.augmentation != sweeps::Augmentation{};
};

}  // namespace ranksweep::worker
