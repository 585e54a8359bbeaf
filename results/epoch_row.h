#pragma once

#include "sweeps/trial_history.h"

namespace SQLite {
class Statement;
}

namespace ranksweep::results {

// The columns of an epoch in the order in which read_epoch takes them, from `first` on.
inline constexpr const char* kEpochColumns =
    "epoch, train_loss, train_accuracy, val_loss, val_accuracy, learning_rate, seconds, "
    "data_wait_s, validation_s, train_images, val_images, val_classes_predicted, peak_memory_bytes";

// A number that is NULL, since it was not finite, is NaN.
sweeps::EpochMetrics read_epoch(const SQLite::Statement& row, int first);

}  // namespace ranksweep::results
