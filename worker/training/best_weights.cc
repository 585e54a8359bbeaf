#include "worker/training/best_weights.h"

#include <nlohmann/json.hpp>

#include "sweeps/trial_values.h"
#include "worker/models/shared_base.h"
#include "worker/training/feature_key.h"
#include "worker/training/run_state.h"

namespace ranksweep::worker {

BestWeights::BestWeights(const sweeps::TrialSpec& spec, const std::vector<std::string>& classes,
                         const std::filesystem::path& directory, TrialModel& model,
                         Checkpoints& checkpoints)
    : spec_(spec),
      classes_(classes),
      directory_(directory),
      model_(model),
      checkpoints_(checkpoints) {}

void BestWeights::keep() {
  kept_.clear();
  for (const auto& [name, tensor] : named(model_.trained_tensors())) {
    kept_.emplace_back(name, tensor.detach().clone());
  }
}

void BestWeights::write(const std::vector<sweeps::EpochMetrics>& history) {
  const int best = best_epoch(history);
  if (best == on_disk_) return;
  Metadata metadata = {{"val_loss", nlohmann::json(history[best - 1].val_loss).dump()},
                       {"architecture", spec_.architecture},
                       {"classes", nlohmann::json(classes_).dump()},
                       {"image_size", nlohmann::json(spec_.image_size).dump()},
                       {"normalization", sweeps::encode(normalization_of(spec_))},
                       {"precision", sweeps::encode(model_.precision())},
                       {"memory_format", sweeps::encode(model_.memory_format())},
                       {"spec", sweeps::to_canonical_json(spec_).dump()}};
  NamedTensors tensors;
  if (model_.base_stays_frozen()) {
    metadata.merge(share_base());
  } else {
    tensors = named(model_.untrained_tensors());
  }
  tensors.insert(tensors.end(), kept_.begin(), kept_.end());
  checkpoints_.write_best(best, tensors, std::move(metadata));
  on_disk_ = best;
}

// Sees to it that the base is on disk; returns how a head's checkpoint names it.
Metadata BestWeights::share_base() {
  const SharedBase base(directory_, base_key(spec_));
  if (!base.exists()) {
    base.write(named(model_.untrained_tensors()), {{"architecture", spec_.architecture}});
  }
  return base.reference();
}

}  // namespace ranksweep::worker
