#pragma once

#include <cstdint>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

// Losses of logits [N, 1] (two classes: of class 1) or [N, classes], and labels [N] of int64.
class Loss {
 public:
  // `train_labels` give the counts for balanced class weights, images / (classes * images of the
  // class). Throws std::invalid_argument when there are not as many class weights as classes.
  Loss(const sweeps::TrialSpec& spec, const torch::Tensor& train_labels, int classes,
       torch::Device device);

  // What is minimised: the mean over the images of the class' weight times the cross-entropy with
  // label smoothing s, where the target is (1 - s) * onehot + s / classes. As in Keras, the sum is
  // divided by the number of images, not by the sum of their weights.
  torch::Tensor training(const torch::Tensor& logits, const torch::Tensor& labels) const;

  // What trials are compared by, so neither smoothed nor weighted: each image's cross-entropy [N].
  static torch::Tensor each(const torch::Tensor& logits, const torch::Tensor& labels);

  // The predicted classes [N]; of two classes, class 1 from a probability above one half.
  static torch::Tensor predict(const torch::Tensor& logits);

  // The probability of each class [N, classes]; two of them for one logit.
  static torch::Tensor probabilities(const torch::Tensor& logits);
  // Their natural logarithms, exact for probabilities next to 0 and to 1 too.
  static torch::Tensor log_probabilities(const torch::Tensor& logits);

 private:
  double smoothing_;
  torch::Tensor class_weights_;  // undefined when all are equal
};

}  // namespace ranksweep::worker
