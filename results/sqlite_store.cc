#include "results/sqlite_store.h"

#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "results/change_writer.h"
#include "results/database.h"
#include "results/epoch_row.h"
#include "results/plan_writer.h"
#include "results/writer_lock.h"

namespace ranksweep::results {
namespace {

using sweeps::AttemptId;
using sweeps::EpochMetrics;
using sweeps::TrialId;
using IndexOfRow = std::unordered_map<std::int64_t, std::size_t>;  // in the plan

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
        SELECT trial, id, outcome IS NULL, counts, cause = ? FROM attempt
        WHERE outcome IS NULL OR outcome IN ('failed', 'lost') ORDER BY id)");
    query.bind(1, sweeps::kOutOfMemory);
    while (query.executeStep()) {
      const auto found = index.find(query.getColumn(0).getInt64());
      if (found == index.end()) continue;
      StoredTrial& trial = trials[found->second];
      if (query.getColumn(2).getInt() != 0) {
        trial.open_attempt = query.getColumn(1).getInt64();
      } else {
        trial.failed_attempts += query.getColumn(3).getInt();
        trial.out_of_memory += query.getColumn(4).getInt();
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
