#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/trial_history.h"
#include "sweeps/trial_spec.h"
#include "worker/models/tensor_file.h"
#include "worker/training/checkpoints.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// The weights of a trial's best epoch. They are kept in memory and written only when something on
// disk has to rely on them, a resume state or the end: until then the resume state on disk leads to
// them again.
class BestWeights {
 public:
  // `directory`: the trial's own. All must outlive it.
  BestWeights(const sweeps::TrialSpec& spec, const std::vector<std::string>& classes,
              const std::filesystem::path& directory, TrialModel& model, Checkpoints& checkpoints);

  // What the model has now is the best.
  void keep();
  // Sees to it that those of the best epoch of `history` are on disk.
  void write(const std::vector<sweeps::EpochMetrics>& history);
  // The epoch whose weights are on disk; 0 for none. A run that goes on finds some there.
  int on_disk() const { return on_disk_; }
  void found_on_disk(int epoch) { on_disk_ = epoch; }

 private:
  Metadata share_base();

  const sweeps::TrialSpec& spec_;
  const std::vector<std::string>& classes_;
  const std::filesystem::path& directory_;
  TrialModel& model_;
  Checkpoints& checkpoints_;
  NamedTensors kept_;
  int on_disk_ = 0;
};

}  // namespace ranksweep::worker
