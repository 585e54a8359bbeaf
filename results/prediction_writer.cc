#include "results/prediction_writer.h"

#include <cmath>

#include <SQLiteCpp/SQLiteCpp.h>

#include "results/image_losses.h"
#include "results/resampling.h"

namespace ranksweep::results {

PredictionWriter::PredictionWriter(SQLite::Database& database, std::int64_t sweep)
    : sweep_(sweep),
      put_prediction_(database, R"(
          INSERT OR REPLACE INTO prediction
            (trial, epoch, images, classes, left_out, log_probabilities, loss_low, loss_high)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?))"),
      put_test_result_(database, R"(
          INSERT OR REPLACE INTO test_result
            (trial, epoch, evaluated_at, loss, accuracy, classes_predicted,
             images, classes, left_out, log_probabilities, loss_low, loss_high)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))"),
      drop_image_(database, "DELETE FROM image WHERE sweep = ? AND file = ?"),
      labels_(database, "SELECT label FROM image WHERE sweep = ? AND split = ? ORDER BY position") {
}

void PredictionWriter::write(std::int64_t trial, const PredictionsKept& kept) {
  put_prediction_.tryReset();
  put_prediction_.clearBindings();
  put_prediction_.bind(1, trial);
  put_prediction_.bind(2, kept.epoch);
  bind(put_prediction_, 3, kept.predictions, "validation");
  put_prediction_.exec();
}

void PredictionWriter::write(std::int64_t trial, const TestEvaluated& result,
                             const std::string& now) {
  put_test_result_.tryReset();
  put_test_result_.clearBindings();
  put_test_result_.bind(1, trial);
  put_test_result_.bind(2, result.epoch);
  put_test_result_.bind(3, now);
  if (std::isfinite(result.loss)) put_test_result_.bind(4, result.loss);
  put_test_result_.bind(5, result.accuracy);
  put_test_result_.bind(6, result.classes_predicted);
  bind(put_test_result_, 7, result.predictions, "test");
  put_test_result_.exec();
}

void PredictionWriter::bind(SQLite::Statement& statement, int first,
                            const sweeps::Predictions& predictions, const std::string& split) {
  statement.bind(first, predictions.images);
  statement.bind(first + 1, predictions.classes);
  statement.bind(first + 2, predictions.left_out);
  if (predictions.left_out.empty()) {
    const std::string bytes = sweeps::bytes_of(predictions.log_probabilities);
    statement.bind(first + 3, bytes.data(), static_cast<int>(bytes.size()));
  }
  if (const auto interval = bootstrap_interval(image_losses(predictions, labels_of(split)))) {
    statement.bind(first + 4, interval->low);
    statement.bind(first + 5, interval->high);
  }
}

void PredictionWriter::leave_out(const std::string& file) {
  drop_image_.tryReset();
  drop_image_.bind(1, sweep_);
  drop_image_.bind(2, file);
  drop_image_.exec();
}

std::vector<int> PredictionWriter::labels_of(const std::string& split) {
  std::vector<int> labels;
  labels_.tryReset();
  labels_.bind(1, sweep_);
  labels_.bind(2, split);
  while (labels_.executeStep()) labels.push_back(labels_.getColumn(0).getInt());
  labels_.tryReset();
  return labels;
}

}  // namespace ranksweep::results
