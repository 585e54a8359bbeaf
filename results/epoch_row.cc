#include "results/epoch_row.h"

#include <limits>

#include <SQLiteCpp/SQLiteCpp.h>

namespace ranksweep::results {
namespace {

double number_or_nan(const SQLite::Column& column) {
  return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
}

}  // namespace

sweeps::EpochMetrics read_epoch(const SQLite::Statement& row, int first) {
  sweeps::EpochMetrics metrics;
  metrics.epoch = row.getColumn(first).getInt();
  metrics.train_loss = number_or_nan(row.getColumn(first + 1));
  metrics.train_accuracy = number_or_nan(row.getColumn(first + 2));
  metrics.val_loss = number_or_nan(row.getColumn(first + 3));
  metrics.val_accuracy = number_or_nan(row.getColumn(first + 4));
  metrics.learning_rate = number_or_nan(row.getColumn(first + 5));
  metrics.seconds = row.getColumn(first + 6).getDouble();
  metrics.data_wait_s = row.getColumn(first + 7).getDouble();
  metrics.validation_s = row.getColumn(first + 8).getDouble();
  metrics.train_images = row.getColumn(first + 9).getInt();
  metrics.val_images = row.getColumn(first + 10).getInt();
  metrics.val_classes_predicted = row.getColumn(first + 11).getInt();
  metrics.peak_memory_bytes = row.getColumn(first + 12).getInt64();
  return metrics;
}

}  // namespace ranksweep::results
