#pragma once

#include <functional>

#include <torch/torch.h>

#include "sweeps/predictions.h"
#include "worker/parallel/replicas.h"
#include "worker/training/training_data.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// Passes over a whole set, in its order, without gradients and in evaluation mode, in batches of a
// fixed size: the batch size of a trial has no part in the result.

// Called before each batch, if there is one; what it throws ends the pass.
using BeforeBatch = std::function<void(int batch, int batches)>;

inline constexpr std::int64_t kEvaluationBatch = 32;

// What the base and the pooling make of every image: [N, F] of float32 on the model's device.
// `augmented_in_epoch`: of the images as the trial's augmentation changes them in that epoch; 0 of
// the images as they are.
torch::Tensor pooled_features(TrialModel& model, const ImageSet& set, int augmented_in_epoch,
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

// `features`: of the set, when they are known; else undefined. With `replicas`, each member makes
// some of the batches, and all have the same result, that of one process alone.
Evaluation evaluate(TrialModel& model, const ImageSet& set, const torch::Tensor& features,
                    const BeforeBatch& before, Replicas* replicas = nullptr);

}  // namespace ranksweep::worker
