#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "sweeps/trial_id.h"
#include "worker/models/tensor_file.h"
#include "worker/training/run_state.h"

namespace ranksweep::worker {

// What a trial leaves on disk: the weights of its best epoch, best-EPOCH.safetensors, and while it
// is not finished resume.safetensors, from which it can go on. Both are written whole or not at
// all. The directory belongs to the trial alone.
class Checkpoints {
 public:
  Checkpoints(std::filesystem::path directory, sweeps::TrialId trial);

  std::filesystem::path best_path(int epoch) const;
  // Whether the best weights of `epoch` are there, whole, and of this trial.
  bool has_best(int epoch) const;
  void write_best(int epoch, const NamedTensors& tensors, Metadata metadata);

  // `best`: the epoch whose file the resume state relies on; 0 for none. Others are deleted after.
  void write_resume(const RunState& state, const NamedTensors& tensors, int best);
  // Fills `tensors` from the resume state and returns where the run stood. Nothing when there is
  // none, or none that can be trusted: damaged, of another trial or program, without its best
  // weights; the reason goes to stderr and `tensors` stay as they were.
  std::optional<RunState> read_resume(const NamedTensors& tensors) const;

  // The trial is over: deletes everything but the best weights of `best`.
  void finish(int best);

 private:
  void remove_all_best_but(int epoch);
  RunState read_trusted(const NamedTensors& tensors) const;

  std::filesystem::path directory_;
  sweeps::TrialId trial_;
};

}  // namespace ranksweep::worker
