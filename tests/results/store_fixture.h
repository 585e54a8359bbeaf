#pragma once

#include <memory>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results::testing {

inline sweeps::EpochMetrics metrics_of(int epoch, double val_loss) {
  return {.epoch = epoch,
          .train_loss = 0.5,
          .train_accuracy = 0.75,
          .val_loss = val_loss,
          .val_accuracy = 0.5,
          .learning_rate = 1e-3,
          .seconds = 1.5,
          .data_wait_s = 0.25,
          .validation_s = 0.125,
          .train_images = 700,
          .val_images = 100,
          .val_classes_predicted = 2,
          .peak_memory_bytes = std::int64_t{5} << 30};
}

// A store of a synthetic sweep with four trials, and a clock that stands still.
class StoreFixture : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() {
    StoreOptions options;
    options.clock = [this] { return now_; };
    options.busy_timeout = std::chrono::milliseconds(50);
    return SqliteStore::open_for_sweep(path_, plan_, testing::synthetic_provenance(sweep_),
                                       options);
  }

  auto opening() {
    return [this] { open(); };
  }

  std::string ask(const std::string& sql) {
    SQLite::Database database(path_.string(), SQLite::OPEN_READONLY);
    SQLite::Statement statement(database, sql);
    std::string answer;
    while (statement.executeStep()) {
      for (int i = 0; i < statement.getColumnCount(); ++i) {
        const auto column = statement.getColumn(i);
        answer += (i > 0 ? "|" : "") + (column.isNull() ? "NULL" : column.getString());
      }
      answer += "\n";
    }
    return answer;
  }

  void change_with_sqlite(const std::string& sql) {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(sql);
  }

  AttemptStarted started(sweeps::AttemptId attempt, std::size_t trial) const {
    return {attempt, plan_.trials[trial].id, 1, "node-a", "cpu", 2};
  }

  EpochRecorded recorded(sweeps::AttemptId attempt, std::size_t trial, int epoch,
                         double val_loss) const {
    return {attempt, plan_.trials[trial].id, metrics_of(epoch, val_loss)};
  }

  AttemptEnded ended(sweeps::AttemptId attempt, std::size_t trial, sweeps::AttemptOutcome outcome,
                     sweeps::TrialState state) const {
    AttemptEnded change;
    change.attempt = attempt;
    change.trial = plan_.trials[trial].id;
    change.outcome = outcome;
    change.trial_state = state;
    return change;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
  testing::SyntheticSweep sweep_{.trials = 4};
  sweeps::Plan plan_ = testing::synthetic_plan(sweep_);
  UtcTime now_ = testing::synthetic_begin() + std::chrono::milliseconds(250);
};

}  // namespace ranksweep::results::testing
