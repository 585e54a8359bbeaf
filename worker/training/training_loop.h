#pragma once

#include <filesystem>
#include <optional>

#include <torch/torch.h>

#include "sweeps/trial_history.h"
#include "sweeps/trial_id.h"
#include "sweeps/trial_spec.h"
#include "worker/training/features.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// A trial to be trained.
struct TrainingJob {
  sweeps::TrialId trial;
  sweeps::TrialSpec spec;
  std::filesystem::path directory;  // for checkpoints, the trial's own
  torch::Device device = torch::kCPU;
  double checkpoint_interval = 60;  // seconds between resume states
  int known_epochs = 0;             // epochs that the supervisor has from earlier attempts
};

// What a supervisor is told at the start.
struct TrainingStart {
  int resumed_from = 0;  // the epochs after this one will be reported
  std::int64_t parameters = 0;
  sweeps::Precision precision = sweeps::Precision::float32;  // in use, so not automatic
  sweeps::MemoryFormat memory_format = sweeps::MemoryFormat::channels_last;
};

// Who watches a training run and decides how long it goes on.
class Supervisor {
 public:
  enum class Decision {
    go_on,
    complete,  // early stopping, or the last epoch
    stop,      // write a resume state and take no further step
  };

  Supervisor() = default;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  virtual ~Supervisor() = default;

  // Once, first.
  virtual void started(const TrainingStart& start) = 0;
  // After every step. Epoch 0 is the pass of a frozen base over all images.
  virtual void progressed(int epoch, int step, int steps, double images_per_second) = 0;
  // Asked between steps.
  virtual bool stop_requested() = 0;
  // May wait for the decision.
  virtual Decision epoch_done(const sweeps::EpochMetrics& metrics) = 0;
};

// How a run ended.
struct TrainingEnd {
  enum class Kind { finished, diverged, stopped } kind = Kind::finished;
  int epoch = 0;  // diverged: whose loss is NaN or infinite
};

// Trains `job` on `data`, from its resume state when there is a trustworthy one. The result is a
// function of the trial, the data, the device and the number of threads: on a CPU bit for bit, with
// any number of interruptions between any steps.
//
// Throws std::system_error when a checkpoint cannot be written, SafetensorsError when the weights
// to start from do not fit, std::invalid_argument for a specification that fits neither
// architecture nor data, c10::Error from Torch.
TrainingEnd train(const TrainingJob& job, const TrainingData& data, FeatureCache& features,
                  Supervisor& supervisor);

}  // namespace ranksweep::worker
