#include "worker/training/loss.h"

#include <stdexcept>
#include <string>

namespace ranksweep::worker {
namespace {

torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels,
                            double smoothing) {
  if (logits.size(1) > 1) {
    return torch::cross_entropy_loss(logits, labels, {}, at::Reduction::None, -100, smoothing);
  }
  const torch::Tensor target = labels.to(logits.dtype()) * (1 - smoothing) + smoothing / 2;
  return torch::binary_cross_entropy_with_logits(logits.squeeze(1), target, {}, {},
                                                 at::Reduction::None);
}

}  // namespace

Loss::Loss(const sweeps::TrialSpec& spec, const torch::Tensor& train_labels, int classes,
           torch::Device device)
    : smoothing_(spec.label_smoothing) {
  if (spec.balanced_class_weights) {
    const torch::Tensor counts = torch::bincount(train_labels, {}, classes).to(torch::kFloat32);
    class_weights_ = train_labels.numel() / (classes * counts.clamp_min(1));
  } else if (!spec.class_weights.empty()) {
    if (static_cast<int>(spec.class_weights.size()) != classes) {
      throw std::invalid_argument("class_weights has " + std::to_string(spec.class_weights.size()) +
                                  " values for " + std::to_string(classes) + " classes");
    }
    class_weights_ = torch::tensor(spec.class_weights, torch::kFloat32);
  }
  if (class_weights_.defined()) class_weights_ = class_weights_.to(device);
}

torch::Tensor Loss::training(const torch::Tensor& logits, const torch::Tensor& labels) const {
  torch::Tensor losses = cross_entropy(logits, labels, smoothing_);
  if (class_weights_.defined()) losses = losses * class_weights_.index_select(0, labels);
  return losses.mean();
}

torch::Tensor Loss::each(const torch::Tensor& logits, const torch::Tensor& labels) {
  return cross_entropy(logits, labels, 0);
}

torch::Tensor Loss::predict(const torch::Tensor& logits) {
  return logits.size(1) > 1 ? logits.argmax(1) : (logits.squeeze(1) > 0).to(torch::kInt64);
}

torch::Tensor Loss::probabilities(const torch::Tensor& logits) {
  if (logits.size(1) > 1) return logits.softmax(1);
  return torch::cat({(-logits).sigmoid(), logits.sigmoid()}, 1);
}

torch::Tensor Loss::log_probabilities(const torch::Tensor& logits) {
  if (logits.size(1) > 1) return logits.log_softmax(1);
  return torch::cat({torch::log_sigmoid(-logits), torch::log_sigmoid(logits)}, 1);
}

}  // namespace ranksweep::worker
