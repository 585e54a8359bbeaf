#pragma once

#include <functional>

#include <torch/torch.h>

#include "sweeps/predictions.h"
#include "worker/parallel/replicas.h"
#include "worker/training/feature_pass.h"
#include "worker/training/training_data.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// Passes over a whole set, in its order, without gradients and in evaluation mode, in batches of a
// fixed size: the batch size of a trial has no part in the result.

// Called before each batch, if there is one; what it throws ends the pass.
using BeforeBatch = std::function<void(int batch, int batches)>;

inline constexpr std::int64_t kEvaluationBatch = 32;

// What the pass makes of every image of its split, which is `set`: [N, F] of float32 on the model's
// device.
torch::Tensor features_of(TrialModel& model, const ImageSet& set, const FeaturePass& pass,
                          const BeforeBatch& before);

struct Evaluation {
  torch::Tensor logits;  // [N, L] of float32 on the model's device
  double loss = 0;       // the mean cross-entropy; NaN or infinite when the network diverged
  double accuracy = 0;
  int classes_predicted = 0;
  double data_wait_s = 0;
};

// What logits [N, 1] or [N, L] say of each image; left out when it is too much to be kept.
sweeps::Predictions predictions_of(const torch::Tensor& logits);

// `features`: of the set, when they are known, by a pass of so many leading blocks; else undefined.
// With `replicas`, each member makes
// some of the batches, and all have the same result, that of one process alone.
Evaluation evaluate(TrialModel& model, const ImageSet& set, const torch::Tensor& features,
                    int leading_blocks, const BeforeBatch& before, Replicas* replicas = nullptr);

}  // namespace ranksweep::worker
