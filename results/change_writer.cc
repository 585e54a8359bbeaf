#include "results/change_writer.h"

#include <cmath>

#include <fmt/format.h>

// Statements are made ready by tryReset, since reset would throw the error of their last run once
// more.
namespace ranksweep::results {
namespace {

using sweeps::EpochMetrics;
using sweeps::TrialId;

void bind_finite(SQLite::Statement& statement, int place, double value) {
  if (std::isfinite(value)) {
    statement.bind(place, value);
  } else {
    statement.bind(place);
  }
}

}  // namespace

ChangeWriter::ChangeWriter(SQLite::Database& database, const RowOfTrial& rows,
                           const WrittenPlan& plan, const Clock& clock)
    : rows_(rows),
      sweep_(plan.sweep),
      invocation_(plan.invocation),
      clock_(clock),
      predictions_(database, plan.sweep),
      begin_attempt_(database, R"(
          INSERT INTO attempt (id, trial, invocation, rank, host, device, threads, begun_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?))"),
      add_member_(database,
                  "INSERT INTO attempt_member (attempt, member, rank, host, device) "
                  "VALUES (?, ?, ?, ?, ?)"),
      describe_attempt_(database,
                        "UPDATE attempt SET precision = ?, memory_format = ? WHERE id = ?"),
      end_attempt_(database, R"(
          UPDATE attempt SET ended_at = ?, outcome = ?, cause = ?, message = ?, stderr_tail = ?
          WHERE id = ? AND trial = ? AND outcome IS NULL)"),
      excuse_attempt_(database, "UPDATE attempt SET counts = 0 WHERE id = ?"),
      set_state_(database, R"(
          UPDATE trial SET state = ?, network_parameters = coalesce(?, network_parameters)
          WHERE id = ?)"),
      put_epoch_(database, R"(
          INSERT OR REPLACE INTO epoch
            (attempt, trial, epoch, train_loss, train_accuracy, val_loss, val_accuracy,
             learning_rate, seconds, data_wait_s, validation_s, train_images, val_images,
             val_classes_predicted, peak_memory_bytes, ended_at, elapsed_s)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
            ?9 + coalesce((SELECT elapsed_s FROM epoch WHERE trial = ?2 AND epoch = ?3 - 1), 0)))"),
      put_own_metric_(database, "INSERT INTO epoch_metric VALUES (?, ?, ?, ?)"),
      discard_epochs_(database, "DELETE FROM epoch WHERE trial = ? AND epoch > ?"),
      put_step_(database, R"(
          INSERT INTO measured_step
            (sweep, architecture, training, image_height, image_width, batch_size, precision,
             memory_format, device, threads, seconds)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING)"),
      skip_file_(database, R"(
          INSERT INTO skipped_file (sweep, file, reason)
          SELECT sweep, ?, ? FROM invocation WHERE id = ? ON CONFLICT DO NOTHING)"),
      note_event_(database, R"(
          INSERT INTO event (invocation, at, kind, rank, message) VALUES (?, ?, ?, ?, ?))"),
      count_commit_(database, "UPDATE invocation SET commits = ? WHERE id = ?"),
      last_commit_(database, "SELECT commits FROM invocation WHERE id = ?") {}

void ChangeWriter::count_commit(std::int64_t number) {
  count_commit_.tryReset();
  count_commit_.bind(1, number);
  count_commit_.bind(2, invocation_);
  count_commit_.exec();
}

std::int64_t ChangeWriter::last_commit() {
  last_commit_.tryReset();
  last_commit_.bind(1, invocation_);
  last_commit_.executeStep();
  const std::int64_t number = last_commit_.getColumn(0).getInt64();
  last_commit_.tryReset();
  return number;
}

void ChangeWriter::operator()(const AttemptStarted& change) {
  begin_attempt_.tryReset();
  begin_attempt_.bind(1, change.attempt);
  begin_attempt_.bind(2, row_of(change.trial));
  begin_attempt_.bind(3, invocation_);
  begin_attempt_.bind(4, change.rank);
  begin_attempt_.bind(5, change.host);
  begin_attempt_.bind(6, change.device);
  begin_attempt_.bind(7, change.threads);
  begin_attempt_.bind(8, format_utc(clock_()));
  begin_attempt_.exec();
  set_state(change.trial, sweeps::TrialState::running, 0);
}

void ChangeWriter::operator()(const MemberAssigned& change) {
  add_member_.tryReset();
  add_member_.bind(1, change.attempt);
  add_member_.bind(2, change.member);
  add_member_.bind(3, change.rank);
  add_member_.bind(4, change.host);
  add_member_.bind(5, change.device);
  add_member_.exec();
}

void ChangeWriter::operator()(const AttemptDescribed& change) {
  describe_attempt_.tryReset();
  describe_attempt_.bind(1, change.precision);
  describe_attempt_.bind(2, change.memory_format);
  describe_attempt_.bind(3, change.attempt);
  describe_attempt_.exec();
}

void ChangeWriter::operator()(const EpochRecorded& change) {
  const EpochMetrics& metrics = change.metrics;
  put_epoch_.tryReset();
  put_epoch_.bind(1, change.attempt);
  put_epoch_.bind(2, row_of(change.trial));
  put_epoch_.bind(3, metrics.epoch);
  bind_finite(put_epoch_, 4, metrics.train_loss);
  bind_finite(put_epoch_, 5, metrics.train_accuracy);
  bind_finite(put_epoch_, 6, metrics.val_loss);
  bind_finite(put_epoch_, 7, metrics.val_accuracy);
  bind_finite(put_epoch_, 8, metrics.learning_rate);
  put_epoch_.bind(9, metrics.seconds);
  put_epoch_.bind(10, metrics.data_wait_s);
  put_epoch_.bind(11, metrics.validation_s);
  put_epoch_.bind(12, metrics.train_images);
  put_epoch_.bind(13, metrics.val_images);
  put_epoch_.bind(14, metrics.val_classes_predicted);
  put_epoch_.bind(15, metrics.peak_memory_bytes);
  put_epoch_.bind(16, format_utc(clock_()));
  put_epoch_.exec();
  for (const auto& [name, value] : change.own_metrics) {
    put_own_metric_.tryReset();
    put_own_metric_.bind(1, row_of(change.trial));
    put_own_metric_.bind(2, metrics.epoch);
    put_own_metric_.bind(3, name);
    put_own_metric_.bind(4, value);
    put_own_metric_.exec();
  }
}

void ChangeWriter::operator()(const PredictionsKept& change) {
  predictions_.write(row_of(change.trial), change);
}

void ChangeWriter::operator()(const TestEvaluated& change) {
  predictions_.write(row_of(change.trial), change, format_utc(clock_()));
}

void ChangeWriter::operator()(const EpochsDiscarded& change) {
  discard_epochs_.tryReset();
  discard_epochs_.bind(1, row_of(change.trial));
  discard_epochs_.bind(2, change.last_kept);
  discard_epochs_.exec();
}

void ChangeWriter::operator()(const AttemptEnded& change) {
  end_attempt_.tryReset();
  end_attempt_.bind(1, format_utc(clock_()));
  end_attempt_.bind(2, sweeps::name_of(change.outcome));
  end_attempt_.bind(3, change.cause);
  end_attempt_.bind(4, change.message);
  end_attempt_.bind(5, change.stderr_tail);
  end_attempt_.bind(6, change.attempt);
  end_attempt_.bind(7, row_of(change.trial));
  if (end_attempt_.exec() != 1) {
    throw StoreError(fmt::format("attempt {} at trial {} is not open, so it cannot end",
                                 change.attempt, change.trial.short_hex()));
  }
  set_state(change.trial, change.trial_state, change.parameters);
}

void ChangeWriter::operator()(const AttemptExcused& change) {
  excuse_attempt_.tryReset();
  excuse_attempt_.bind(1, change.attempt);
  excuse_attempt_.exec();
  set_state(change.trial, change.trial_state, 0);
}

void ChangeWriter::operator()(const StepMeasured& change) {
  put_step_.tryReset();
  put_step_.bind(1, sweep_);
  put_step_.bind(2, change.architecture);
  put_step_.bind(3, change.training);
  put_step_.bind(4, change.image_size[0]);
  put_step_.bind(5, change.image_size[1]);
  put_step_.bind(6, change.batch_size);
  put_step_.bind(7, change.precision);
  put_step_.bind(8, change.memory_format);
  put_step_.bind(9, change.device);
  put_step_.bind(10, change.threads);
  if (change.seconds) {
    put_step_.bind(11, *change.seconds);
  } else {
    put_step_.bind(11);
  }
  put_step_.exec();
}

void ChangeWriter::operator()(const FileSkipped& change) {
  skip_file_.tryReset();
  skip_file_.bind(1, change.file);
  skip_file_.bind(2, change.reason);
  skip_file_.bind(3, invocation_);
  skip_file_.exec();
  predictions_.leave_out(change.file);
}

void ChangeWriter::operator()(const EventNoted& change) {
  note_event_.tryReset();
  note_event_.bind(1, invocation_);
  note_event_.bind(2, format_utc(clock_()));
  note_event_.bind(3, change.kind);
  note_event_.bind(4, change.rank);
  note_event_.bind(5, change.message);
  note_event_.exec();
}

std::int64_t ChangeWriter::row_of(const TrialId& trial) const {
  const auto found = rows_.find(trial.hex());
  if (found == rows_.end()) {
    throw StoreError(fmt::format("trial {} is not in the plan", trial.short_hex()));
  }
  return found->second;
}

void ChangeWriter::set_state(const TrialId& trial, sweeps::TrialState state,
                             std::int64_t parameters) {
  set_state_.tryReset();
  set_state_.bind(1, sweeps::name_of(state));
  if (parameters > 0) {
    set_state_.bind(2, parameters);
  } else {
    set_state_.bind(2);
  }
  set_state_.bind(3, row_of(trial));
  set_state_.exec();
}

}  // namespace ranksweep::results
