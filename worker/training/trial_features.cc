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

FeaturePass validation_pass(int leading_blocks) {
  return {.split = FeaturePass::Split::validation, .leading_blocks = leading_blocks};
}

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

torch::Tensor TrialFeatures::train(int epoch, int leading_blocks) {
  return recall(train_, train_pass(epoch, leading_blocks), epoch);
}

torch::Tensor TrialFeatures::validation(int leading_blocks) {
  return recall(validation_, validation_pass(leading_blocks), spec_.epochs);
}

torch::Tensor TrialFeatures::recall(Known& known, const FeaturePass& pass, int epoch) {
  if (!known.features.defined() || known.pass != pass) known = {pass, get(pass, epoch)};
  return known.features;
}

FeaturePass TrialFeatures::train_pass(int epoch, int leading_blocks) const {
  return {.split = FeaturePass::Split::train,
          .augmented_in_epoch = augmented_ ? epoch : 0,
          .leading_blocks = leading_blocks};
}

torch::Tensor TrialFeatures::get(const FeaturePass& pass, int epoch) {
  const torch::Tensor features = store_.get(
      key_of(pass), [&] { return compute(pass); },
      [&] {
        progress_(0, images_of(pass).size(), 0);
        use_the_wait(epoch, pass.leading_blocks);
      });
  return features.to(device_);
}

torch::Tensor TrialFeatures::compute(const FeaturePass& pass) {
  const ImageSet& set = images_of(pass);
  const Stopwatch watch;
  return features_of(model_, set, pass, [&](int batch, int) {
    progress_(batch * kEvaluationBatch, set.size(), watch.seconds());
  });
}

// Another trainer is at the pass that this one needs: so this one does one that comes later.
void TrialFeatures::use_the_wait(int epoch, int leading_blocks) {
  const auto prepare = [&](const FeaturePass& pass) {
    return store_.prepare(key_of(pass), [&] { return compute(pass); });
  };
  if (prepare(validation_pass(leading_blocks))) return;
  if (!augmented_) return;
  const int last = std::min(epoch + kEpochsAhead, spec_.epochs);
  for (int later = epoch + 1; later <= last; ++later) {
    if (prepare(train_pass(later, leading_blocks))) return;
  }
}

std::string TrialFeatures::key_of(const FeaturePass& pass) const {
  return feature_key(spec_, model_.precision(), model_.memory_format(), data_, device_, pass);
}

const ImageSet& TrialFeatures::images_of(const FeaturePass& pass) const {
  return pass.split == FeaturePass::Split::train ? data_.train : data_.validation;
}

}  // namespace ranksweep::worker
