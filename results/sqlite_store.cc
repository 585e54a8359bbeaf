#include "results/sqlite_store.h"

#include <cmath>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "results/database.h"
#include "results/epoch_row.h"
#include "results/plan_writer.h"
#include "results/prediction_writer.h"
#include "results/writer_lock.h"

namespace ranksweep::results {
namespace {

using sweeps::AttemptId;
using sweeps::EpochMetrics;
using sweeps::TrialId;
using RowOfTrial = std::unordered_map<std::string, std::int64_t>;  // by identity
using IndexOfRow = std::unordered_map<std::int64_t, std::size_t>;  // in the plan

void bind_finite(SQLite::Statement& statement, int place, double value) {
  if (std::isfinite(value)) {
    statement.bind(place, value);
  } else {
    statement.bind(place);
  }
}

// Writes one change after the other, in the caller's transaction. tryReset, since reset would throw
// the error of the statement's last run once more.
class ChangeWriter {
 public:
  ChangeWriter(SQLite::Database& database, const RowOfTrial& rows, const WrittenPlan& plan,
               const Clock& clock)
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

  void count_commit(std::int64_t number) {
    count_commit_.tryReset();
    count_commit_.bind(1, number);
    count_commit_.bind(2, invocation_);
    count_commit_.exec();
  }

  std::int64_t last_commit() {
    last_commit_.tryReset();
    last_commit_.bind(1, invocation_);
    last_commit_.executeStep();
    const std::int64_t number = last_commit_.getColumn(0).getInt64();
    last_commit_.tryReset();
    return number;
  }

  void operator()(const AttemptStarted& change) {
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

  void operator()(const MemberAssigned& change) {
    add_member_.tryReset();
    add_member_.bind(1, change.attempt);
    add_member_.bind(2, change.member);
    add_member_.bind(3, change.rank);
    add_member_.bind(4, change.host);
    add_member_.bind(5, change.device);
    add_member_.exec();
  }

  void operator()(const AttemptDescribed& change) {
    describe_attempt_.tryReset();
    describe_attempt_.bind(1, change.precision);
    describe_attempt_.bind(2, change.memory_format);
    describe_attempt_.bind(3, change.attempt);
    describe_attempt_.exec();
  }

  void operator()(const EpochRecorded& change) {
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

  void operator()(const PredictionsKept& change) {
    predictions_.write(row_of(change.trial), change);
  }

  void operator()(const TestEvaluated& change) {
    predictions_.write(row_of(change.trial), change, format_utc(clock_()));
  }

  void operator()(const EpochsDiscarded& change) {
    discard_epochs_.tryReset();
    discard_epochs_.bind(1, row_of(change.trial));
    discard_epochs_.bind(2, change.last_kept);
    discard_epochs_.exec();
  }

  void operator()(const AttemptEnded& change) {
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

  void operator()(const AttemptExcused& change) {
    excuse_attempt_.tryReset();
    excuse_attempt_.bind(1, change.attempt);
    excuse_attempt_.exec();
    set_state(change.trial, change.trial_state, 0);
  }

  void operator()(const StepMeasured& change) {
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

  void operator()(const FileSkipped& change) {
    skip_file_.tryReset();
    skip_file_.bind(1, change.file);
    skip_file_.bind(2, change.reason);
    skip_file_.bind(3, invocation_);
    skip_file_.exec();
    predictions_.leave_out(change.file);
  }

  void operator()(const EventNoted& change) {
    note_event_.tryReset();
    note_event_.bind(1, invocation_);
    note_event_.bind(2, format_utc(clock_()));
    note_event_.bind(3, change.kind);
    note_event_.bind(4, change.rank);
    note_event_.bind(5, change.message);
    note_event_.exec();
  }

 private:
  std::int64_t row_of(const TrialId& trial) const {
    const auto found = rows_.find(trial.hex());
    if (found == rows_.end()) {
      throw StoreError(fmt::format("trial {} is not in the plan", trial.short_hex()));
    }
    return found->second;
  }

  void set_state(const TrialId& trial, sweeps::TrialState state, std::int64_t parameters) {
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

RowOfTrial load_rows(SQLite::Database& database, std::int64_t sweep) {
  RowOfTrial rows;
  SQLite::Statement query(database, R"(
      SELECT trial.identity, trial.id FROM sweep_trial
      JOIN trial ON trial.id = sweep_trial.trial WHERE sweep_trial.sweep = ?)");
  query.bind(1, sweep);
  while (query.executeStep()) rows[query.getColumn(0).getString()] = query.getColumn(1).getInt64();
  return rows;
}

}  // namespace

// The open database of one sweep. The lock is taken first and released last.
class SqliteStore::Connection {
 public:
  Connection(const std::filesystem::path& path, const sweeps::Plan& plan,
             const Provenance& provenance, StoreOptions options)
      : path_(path), clock_(std::move(options.clock)), lock_(path) {
    database_ = open_for_writing(path, options.busy_timeout, options.journal);
    with_store_errors(path, [&] {
      {
        SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
        if (!has_schema(*database_)) create_schema(*database_);
        written_ = write_plan(*database_, path, plan, provenance, format_utc(clock_()));
        transaction.commit();
      }
      set_journal(*database_, options.journal);
      rows_ = load_rows(*database_, written_.sweep);
      database_->setBusyTimeout(static_cast<int>(options.commit_timeout.count()));
      writer_.emplace(*database_, rows_, written_, clock_);
    });
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    writer_.reset();
    end_wal(*database_);
  }

  std::vector<StoredTrial> load_trials() {
    std::vector<StoredTrial> trials;
    with_store_errors(path_, [&] {
      IndexOfRow index;
      SQLite::Statement query(*database_, R"(
          SELECT trial.id, trial.identity, trial.state
          FROM sweep_trial JOIN trial ON trial.id = sweep_trial.trial
          WHERE sweep_trial.sweep = ? ORDER BY sweep_trial.position)");
      query.bind(1, written_.sweep);
      while (query.executeStep()) {
        StoredTrial trial;
        trial.id = TrialId(query.getColumn(1).getString());
        trial.state = sweeps::trial_state_from(query.getColumn(2).getString());
        index[query.getColumn(0).getInt64()] = trials.size();
        trials.push_back(std::move(trial));
      }
      load_attempts(trials, index);
      load_epochs(trials);
    });
    return trials;
  }

  AttemptId next_attempt() {
    AttemptId next = 0;
    with_store_errors(path_, [&] {
      next = database_->execAndGet("SELECT coalesce(max(id), 0) + 1 FROM attempt").getInt64();
    });
    return next;
  }

  std::vector<StepMeasured> measured_steps() {
    std::vector<StepMeasured> steps;
    with_store_errors(path_, [&] {
      SQLite::Statement query(*database_, R"(
          SELECT architecture, training, image_height, image_width, batch_size, precision,
            memory_format, device, threads, seconds FROM measured_step WHERE sweep = ?)");
      query.bind(1, written_.sweep);
      while (query.executeStep()) {
        StepMeasured& step = steps.emplace_back(
            StepMeasured{.architecture = query.getColumn(0).getString(),
                         .training = query.getColumn(1).getString(),
                         .image_size = {query.getColumn(2).getInt(), query.getColumn(3).getInt()},
                         .batch_size = query.getColumn(4).getInt(),
                         .precision = query.getColumn(5).getString(),
                         .memory_format = query.getColumn(6).getString(),
                         .device = query.getColumn(7).getString(),
                         .threads = query.getColumn(8).getInt(),
                         .seconds = std::nullopt});
        if (!query.isColumnNull(9)) step.seconds = query.getColumn(9).getDouble();
      }
    });
    return steps;
  }

  void commit(std::span<const Change> changes) {
    with_store_errors(path_, [&] {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      if (tried_changes_ > 0 && writer_->last_commit() == commits_ + 1) {
        ++commits_;  // it only seemed to fail: the disk did, after the transaction was complete
        done_changes_ = tried_changes_;
      }
      tried_changes_ = changes.size();
      for (const Change& change : changes.subspan(done_changes_)) std::visit(*writer_, change);
      writer_->count_commit(commits_ + 1);
      transaction.commit();
      ++commits_;
      tried_changes_ = done_changes_ = 0;
    });
  }

 private:
  // The few that are open or count towards max_attempts, in one pass over all.
  void load_attempts(std::vector<StoredTrial>& trials, const IndexOfRow& index) {
    SQLite::Statement query(*database_, R"(
        SELECT trial, id, outcome IS NULL FROM attempt
        WHERE outcome IS NULL OR (outcome IN ('failed', 'lost') AND counts) ORDER BY id)");
    while (query.executeStep()) {
      const auto found = index.find(query.getColumn(0).getInt64());
      if (found == index.end()) continue;
      StoredTrial& trial = trials[found->second];
      if (query.getColumn(2).getInt() != 0) {
        trial.open_attempt = query.getColumn(1).getInt64();
      } else {
        ++trial.failed_attempts;
      }
    }
  }

  // Those of trials that go on. Epochs after a gap are of no use to them, and stay behind.
  void load_epochs(std::vector<StoredTrial>& trials) {
    SQLite::Statement query(
        *database_,
        fmt::format("SELECT {} FROM epoch WHERE trial = ? ORDER BY epoch", kEpochColumns));
    for (StoredTrial& trial : trials) {
      if (trial.state != sweeps::TrialState::pending &&
          trial.state != sweeps::TrialState::running) {
        continue;
      }
      query.reset();
      query.bind(1, rows_.at(trial.id.hex()));
      while (query.executeStep()) {
        const EpochMetrics metrics = read_epoch(query, 0);
        if (metrics.epoch == static_cast<int>(trial.epochs.size()) + 1) {
          trial.epochs.push_back(metrics);
        }
      }
    }
  }

  std::filesystem::path path_;
  Clock clock_;
  WriterLock lock_;
  std::unique_ptr<SQLite::Database> database_;
  WrittenPlan written_;
  RowOfTrial rows_;
  std::optional<ChangeWriter> writer_;
  std::int64_t commits_ = 0;  // of this invocation, that are known to have worked
  // Of a batch that failed, or seemed to: how many changes were in its last try, and how many of
  // them turned out to be durable.
  std::size_t tried_changes_ = 0;
  std::size_t done_changes_ = 0;
};

std::unique_ptr<SqliteStore> SqliteStore::open_for_sweep(const std::filesystem::path& path,
                                                         const sweeps::Plan& plan,
                                                         const Provenance& provenance,
                                                         StoreOptions options) {
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(std::make_unique<Connection>(path, plan, provenance, std::move(options))));
}

SqliteStore::SqliteStore(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

SqliteStore::~SqliteStore() = default;

std::vector<StoredTrial> SqliteStore::load_trials() { return connection_->load_trials(); }

AttemptId SqliteStore::next_attempt() { return connection_->next_attempt(); }

std::vector<StepMeasured> SqliteStore::measured_steps() { return connection_->measured_steps(); }

void SqliteStore::commit(std::span<const Change> changes) { connection_->commit(changes); }

}  // namespace ranksweep::results
