#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <SQLiteCpp/SQLiteCpp.h>

#include "results/database.h"
#include "results/plan_writer.h"
#include "results/prediction_writer.h"
#include "results/sqlite_store.h"
#include "results/sweep_store.h"

namespace ranksweep::results {

using RowOfTrial = std::unordered_map<std::string, std::int64_t>;  // by identity

// Writes one change after the other, in the caller's transaction. SQLite's exceptions pass through.
class ChangeWriter {
 public:
  // All must outlive it.
  ChangeWriter(SQLite::Database& database, const RowOfTrial& rows, const WrittenPlan& plan,
               const Clock& clock);

  void count_commit(std::int64_t number);
  std::int64_t last_commit();
  void operator()(const AttemptStarted&);
  void operator()(const MemberAssigned&);
  void operator()(const AttemptDescribed&);
  void operator()(const EpochRecorded&);
  void operator()(const PredictionsKept&);
  void operator()(const TestEvaluated&);
  void operator()(const EpochsDiscarded&);
  void operator()(const AttemptEnded&);
  void operator()(const AttemptExcused&);
  void operator()(const StepMeasured&);
  void operator()(const FileSkipped&);
  void operator()(const EventNoted&);

 private:
  std::int64_t row_of(const sweeps::TrialId& trial) const;
  void set_state(const sweeps::TrialId& trial, sweeps::TrialState state, std::int64_t parameters);

  const RowOfTrial& rows_;
  std::int64_t sweep_;
  std::int64_t invocation_;
  const Clock& clock_;
  PredictionWriter predictions_;
  SQLite::Statement begin_attempt_;
  SQLite::Statement add_member_;
  SQLite::Statement describe_attempt_;
  SQLite::Statement end_attempt_;
  SQLite::Statement excuse_attempt_;
  SQLite::Statement set_state_;
  SQLite::Statement put_epoch_;
  SQLite::Statement put_own_metric_;
  SQLite::Statement discard_epochs_;
  SQLite::Statement put_step_;
  SQLite::Statement skip_file_;
  SQLite::Statement note_event_;
  SQLite::Statement count_commit_;
  SQLite::Statement last_commit_;
};

}  // namespace ranksweep::results
