#pragma once

#include <cstdint>

#include "sweeps/predictions.h"
#include "sweeps/trial_history.h"
#include "sweeps/trial_spec.h"

namespace ranksweep::worker {

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
  // Once, last, when the run is complete: of the validation images, at the best epoch.
  virtual void predicted(int epoch, const sweeps::Predictions& predictions) = 0;
};

}  // namespace ranksweep::worker
