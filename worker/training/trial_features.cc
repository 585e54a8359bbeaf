#include "worker/training/trial_features.h"

#include <algorithm>
#include <utility>

#include "worker/training/evaluation.h"
#include "worker/training/stopwatch.h"

namespace ranksweep::worker {
namespace {

// How many epochs a trainer computes ahead while it waits: enough for the trainers of a node to
// have one each, few enough that early stopping wastes little.
constexpr int kEpochsAhead = 8;

}  // namespace

TrialFeatures::TrialFeatures(const sweeps::TrialSpec& spec, TrialModel& model,
                             const TrainingData& data, torch::Device device, FeatureStore& store,
                             Progress progress)
    : spec_(spec),
      model_(model),
      data_(data),
      device_(device),
      store_(store),
      progress_(std::move(progress)) {}

torch::Tensor TrialFeatures::train(int epoch) {
  if (!train_.defined() || (augmented_ && epoch != train_epoch_)) {
    train_ = get(train_pass(epoch), epoch);
    train_epoch_ = epoch;
  }
  return train_;
}

torch::Tensor TrialFeatures::validation() {
  if (!validation_.defined()) {
    validation_ = get({.split = FeaturePass::Split::validation}, spec_.epochs);
  }
  return validation_;
}

FeaturePass TrialFeatures::train_pass(int epoch) const {
  return {.split = FeaturePass::Split::train, .augmented_in_epoch = augmented_ ? epoch : 0};
}

torch::Tensor TrialFeatures::get(const FeaturePass& pass, int epoch) {
  const torch::Tensor features = store_.get(
      key_of(pass), [&] { return compute(pass); },
      [&] {
        progress_(0, images_of(pass).size(), 0);
        use_the_wait(epoch);
      });
  return features.to(device_);
}

torch::Tensor TrialFeatures::compute(const FeaturePass& pass) {
  const ImageSet& set = images_of(pass);
  const Stopwatch watch;
  return pooled_features(model_, set, pass.augmented_in_epoch, [&](int batch, int) {
    progress_(batch * kEvaluationBatch, set.size(), watch.seconds());
  });
}

// Another trainer is at the pass that this one needs: so this one does one that comes later.
void TrialFeatures::use_the_wait(int epoch) {
  const auto prepare = [&](const FeaturePass& pass) {
    return store_.prepare(key_of(pass), [&] { return compute(pass); });
  };
  if (prepare({.split = FeaturePass::Split::validation})) return;
  if (!augmented_) return;
  const int last = std::min(epoch + kEpochsAhead, spec_.epochs);
  for (int later = epoch + 1; later <= last; ++later) {
    if (prepare(train_pass(later))) return;
  }
}

std::string TrialFeatures::key_of(const FeaturePass& pass) const {
  return feature_key(spec_, model_.precision(), model_.memory_format(), data_, device_, pass);
}

const ImageSet& TrialFeatures::images_of(const FeaturePass& pass) const {
  return pass.split == FeaturePass::Split::train ? data_.train : data_.validation;
}

}  // namespace ranksweep::worker
