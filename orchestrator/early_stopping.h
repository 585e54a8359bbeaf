#pragma once

#include <optional>
#include <span>

#include "cluster/trainer_protocol.h"
#include "sweeps/trial_history.h"
#include "sweeps/trial_spec.h"

namespace ranksweep::orchestrator {

// Whether a trial with these epochs (in order, from 1) goes on. It stops after `max_epochs`, and
// when the validation loss has not gone down by more than min_delta for `patience` epochs, as
// Keras' EarlyStopping(monitor="val_loss") does. Decided here and nowhere else, so that every
// member of a group and every resumed attempt ends at the same epoch.
cluster::Decision decide(int max_epochs, const std::optional<sweeps::EarlyStopping>& early_stopping,
                         std::span<const sweeps::EpochMetrics> epochs);

}  // namespace ranksweep::orchestrator
