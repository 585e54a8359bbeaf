#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "results/sweep_store.h"

namespace ranksweep::results {

// Writes what networks make of single images, in the caller's transaction. SQLite's exceptions pass
// through.
class PredictionWriter {
 public:
  PredictionWriter(SQLite::Database& database, std::int64_t sweep);

  // Both in place of an earlier one, with the interval of the loss that the predictions give.
  void write(std::int64_t trial, const PredictionsKept& kept);
  void write(std::int64_t trial, const TestEvaluated& result, const std::string& now);
  // Trainers do not see this image.
  void leave_out(const std::string& file);

 private:
  std::vector<int> labels_of(const std::string& split);
  void bind(SQLite::Statement& statement, int first, const sweeps::Predictions& predictions,
            const std::string& split);

  std::int64_t sweep_;
  SQLite::Statement put_prediction_;
  SQLite::Statement put_test_result_;
  SQLite::Statement drop_image_;
  SQLite::Statement labels_;
};

}  // namespace ranksweep::results
