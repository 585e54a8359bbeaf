#include "worker/training/trained_part.h"

#include <cstdint>

namespace ranksweep::worker {
namespace {

// Of the maps of leading blocks: what a trainer may keep in memory of them.
constexpr std::int64_t kMostBytesOfMaps = std::int64_t{1} << 30;

}  // namespace

TrainedPart::TrainedPart(const sweeps::TrialSpec& spec, const TrainingData& data, TrialModel& model,
                         Optimizer& optimizer, TrialFeatures& features)
    : spec_(spec), data_(data), model_(model), optimizer_(optimizer), features_(features) {}

void TrainedPart::begin_epoch(int epoch) {
  if (!model_.base_stays_frozen()) {
    Model& model = model_.model();
    model.base().freeze(frozen_blocks(spec_, model, epoch));
    base_frozen_ = model.base().frozen_blocks() == model.base_blocks();
  }
  leading_blocks_ = shares_leading_blocks() ? model_.always_frozen_blocks() : 0;
  if (base_frozen_ || leading_blocks_ > 0) {
    train_features_ = features_.train(epoch, leading_blocks_);
    validation_features_ = features_.validation(leading_blocks_);
  } else {
    train_features_ = validation_features_ = torch::Tensor();
  }
}

// Whether what the first blocks make of the images is kept, for all epochs and for other trials,
// though the blocks after them are trained. An augmented image has no second epoch, and its maps
// are many times as large as pooled features.
bool TrainedPart::shares_leading_blocks() {
  if (base_frozen_ || spec_.augmentation != sweeps::Augmentation{}) return false;
  const int blocks = model_.always_frozen_blocks();
  const std::int64_t images = data_.train.size() + data_.validation.size();
  return blocks > 0 && images * model_.bytes_of_maps(blocks) <= kMostBytesOfMaps;
}

std::vector<torch::Tensor> TrainedPart::parameters() {
  std::vector<torch::Tensor> parameters;
  for (const auto& group : optimizer_.groups()) {
    for (const auto& [name, parameter] : group.parameters) {
      if (parameter.requires_grad()) parameters.push_back(parameter);
    }
  }
  return parameters;
}

std::vector<torch::Tensor> TrainedPart::buffers() {
  std::vector<torch::Tensor> buffers;
  if (base_frozen_) return buffers;
  const int frozen = model_.model().base().frozen_blocks();
  for (const auto& [name, tensor, block] : model_.trained_tensors()) {
    const bool changes = !tensor.requires_grad() && tensor.is_floating_point();
    if (changes && block >= frozen) buffers.push_back(tensor);
  }
  return buffers;
}

torch::Tensor TrainedPart::logits(const torch::Tensor& inputs) {
  return model_.logits(train_features_.defined() ? model_.pooled_of(inputs, leading_blocks_)
                                                 : model_.pooled(inputs));
}

}  // namespace ranksweep::worker
