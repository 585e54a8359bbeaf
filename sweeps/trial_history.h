#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/trial_id.h"

namespace ranksweep::sweeps {

// One try at a trial. Unique in a database, given out by the coordinator, never reused.
using AttemptId = std::int64_t;

// Where a trial stands. `diverged` is an honest end (the loss became NaN or infinite), `failed` is
// given up after the allowed number of attempts.
enum class TrialState { pending, running, finished, diverged, failed };

// How an attempt ended. `failed`: the trainer reported an error. `lost`: the trainer died, went
// silent or broke the protocol. Both count towards the allowed number of attempts. `interrupted`:
// stopped on request, or cut off together with its coordinator; not the trial's fault.
enum class AttemptOutcome { finished, diverged, failed, lost, interrupted };

// The cause of a failed attempt for which its device had too little memory.
inline constexpr const char* kOutOfMemory = "out of memory";

const char* name_of(TrialState);
const char* name_of(AttemptOutcome);
// Throw std::invalid_argument for a name that is none.
TrialState trial_state_from(const std::string& name);
AttemptOutcome attempt_outcome_from(const std::string& name);

// What one pass over the training images and one exact pass over the validation images gave.
// Losses are means over images; accuracies are fractions in [0, 1].
struct EpochMetrics {
  int epoch = 0;  // counted from 1
  double train_loss = 0;
  double train_accuracy = 0;
  double val_loss = 0;
  double val_accuracy = 0;
  double learning_rate = 0;
  double seconds = 0;             // wall time of the epoch, validation included
  double data_wait_s = 0;         // of which the training loop waited for images
  double validation_s = 0;        // of which the validation took
  int train_images = 0;           // images trained on
  int val_images = 0;             // images validated on, each once
  int val_classes_predicted = 0;  // different classes among the predictions; 1 means collapsed
  // The most memory that was held at once: on a GPU by LibTorch, on a CPU by the trainer's process.
  // 0: not known.
  std::int64_t peak_memory_bytes = 0;

  bool operator==(const EpochMetrics&) const = default;
};

}  // namespace ranksweep::sweeps
