#pragma once

#include <filesystem>

#include <torch/torch.h>

#include "sweeps/trial_id.h"
#include "sweeps/trial_spec.h"
#include "worker/parallel/gradient_group.h"
#include "worker/training/feature_store.h"
#include "worker/training/supervisor.h"
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
  GradientGroup* group = nullptr;   // who trains it together with this process; null: nobody
  int batch_parts = 1;              // StepOptions
  bool cuda_graphs = false;
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
// In a group every member calls this at once. The leader alone reads and writes checkpoints and
// speaks with the supervisor about epochs; a member that is told to go returns as the leader does.
//
// Throws std::system_error when a checkpoint cannot be written, SafetensorsError when the weights
// to start from do not fit, std::invalid_argument for a specification that fits neither
// architecture nor data, c10::Error from Torch, GroupBroken, ReplicasDiverged.
TrainingEnd train(const TrainingJob& job, const TrainingData& data, FeatureStore& features,
                  Supervisor& supervisor);

}  // namespace ranksweep::worker
