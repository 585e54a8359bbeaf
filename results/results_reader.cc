#include "results/results_reader.h"

#include <array>
#include <map>
#include <stdexcept>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include "results/database.h"
#include "results/epoch_row.h"
#include "results/query.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

using sweeps::TrialId;

constexpr std::chrono::milliseconds kBusyTimeout{
    20'000};  // a writer's commit takes that long never

std::optional<double> number(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getDouble());
}

template <typename Integer>
std::optional<Integer> integer(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(static_cast<Integer>(column.getInt64()));
}

Mark mark_from(const std::string& name) {
  constexpr std::array kMarks = {Mark::finished, Mark::collapsed, Mark::diverged,
                                 Mark::failed,   Mark::running,   Mark::pending};
  for (Mark mark : kMarks) {
    if (name == name_of(mark)) return mark;
  }
  throw StoreError(fmt::format("'{}' is no mark of a trial: the view ranking was changed", name));
}

RankedTrial read_ranked_trial(const SQLite::Statement& row) {
  RankedTrial trial;
  trial.rank = integer<int>(row.getColumn(0));
  trial.position = row.getColumn(1).getInt();
  trial.sweep = row.getColumn(2).getString();
  trial.mark = mark_from(row.getColumn(3).getString());
  trial.trial = TrialId(row.getColumn(4).getString());
  trial.description = row.getColumn(5).getString();
  trial.best_epoch = integer<int>(row.getColumn(6));
  trial.val_loss = number(row.getColumn(7));
  const auto low = number(row.getColumn(8));
  const auto high = number(row.getColumn(9));
  if (low && high) trial.val_loss_interval = Interval{*low, *high};
  trial.val_accuracy = number(row.getColumn(10));
  trial.train_loss = number(row.getColumn(11));
  trial.train_accuracy = number(row.getColumn(12));
  trial.val_images = row.getColumn(13).getInt();
  trial.test_loss = number(row.getColumn(14));
  trial.test_accuracy = number(row.getColumn(15));
  trial.test_images = row.getColumn(16).getInt();
  trial.epochs_done = row.getColumn(17).getInt();
  trial.seconds = row.getColumn(18).getDouble();
  trial.network_parameters = integer<std::int64_t>(row.getColumn(19));
  trial.attempts = row.getColumn(20).getInt();
  trial.row = row.getColumn(21).getInt64();
  return trial;
}

Attempt read_attempt(const SQLite::Statement& row) {
  Attempt attempt;
  attempt.id = row.getColumn(0).getInt64();
  attempt.trial = TrialId(row.getColumn(1).getString());
  attempt.description = row.getColumn(2).getString();
  attempt.rank = row.getColumn(3).getInt();
  attempt.host = row.getColumn(4).getString();
  attempt.device = row.getColumn(5).getString();
  attempt.threads = row.getColumn(6).getInt();
  attempt.begun_at = row.getColumn(7).getString();
  attempt.ended_at = row.getColumn(8).getString();
  attempt.outcome = row.getColumn(9).getString();
  attempt.cause = row.getColumn(10).getString();
  attempt.message = row.getColumn(11).getString();
  attempt.stderr_tail = row.getColumn(12).getString();
  attempt.precision = row.getColumn(13).getString();
  attempt.memory_format = row.getColumn(14).getString();
  return attempt;
}

Cell read_cell(const SQLite::Column& column) {
  if (column.isInteger()) return column.getInt64();
  if (column.isFloat()) return column.getDouble();
  if (column.isNull()) return std::monostate{};
  return column.getString();
}

}  // namespace

class ResultsReader::Connection {
 public:
  Connection(const std::filesystem::path& path, std::unique_ptr<SQLite::Database> database)
      : path_(path), database_(std::move(database)) {}

  // Calls `use` for each row of `sql`, with `arguments` bound.
  template <typename Use>
  void each(const std::string& sql, const std::vector<std::string>& arguments, Use use) {
    with_store_errors(path_, [&] {
      SQLite::Statement statement(*database_, sql);
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        statement.bind(static_cast<int>(i + 1), arguments[i]);
      }
      while (statement.executeStep()) use(statement);
    });
  }

  const std::filesystem::path& path() const { return path_; }
  SQLite::Database& database() { return *database_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<SQLite::Database> database_;
};

ResultsReader::ResultsReader(const std::filesystem::path& path)
    : ResultsReader(path, open_for_reading(path, kBusyTimeout)) {}

ResultsReader::ResultsReader(const std::filesystem::path& path,
                             std::unique_ptr<SQLite::Database> database)
    : connection_(std::make_unique<Connection>(path, std::move(database))) {}

ResultsReader::~ResultsReader() = default;

void ResultsReader::at_one_moment(const std::function<void()>& read) {
  with_store_errors(connection_->path(), [&] {
    SQLite::Transaction transaction(connection_->database());
    read();
    transaction.commit();
  });
}

SweepInfo ResultsReader::sweep() {
  SweepInfo info;
  connection_->each(
      "SELECT name, source, data_path, data_fingerprint, classes, train_images, val_images, "
      "test_images, created_at FROM sweep ORDER BY id LIMIT 1",
      {}, [&](const SQLite::Statement& row) {
        info.name = row.getColumn(0).getString();
        info.source = row.getColumn(1).getString();
        info.data_path = row.getColumn(2).getString();
        info.data_fingerprint = row.getColumn(3).getString();
        info.classes =
            nlohmann::json::parse(row.getColumn(4).getString()).get<std::vector<std::string>>();
        info.train_images = row.getColumn(5).getInt();
        info.val_images = row.getColumn(6).getInt();
        info.test_images = row.getColumn(7).getInt();
        info.created_at = row.getColumn(8).getString();
      });
  connection_->each(
      "SELECT name FROM swept_parameter ORDER BY sweep, position", {},
      [&](const SQLite::Statement& row) { info.swept.push_back(row.getColumn(0).getString()); });
  return info;
}

std::vector<RankedTrial> ResultsReader::ranking(std::optional<std::size_t> limit) {
  std::vector<RankedTrial> trials;
  connection_->each(
      fmt::format("SELECT rank, position, sweep, mark, trial, description, best_epoch, val_loss, "
                  "val_loss_low, val_loss_high, val_accuracy, train_loss, train_accuracy, "
                  "val_images, test_loss, test_accuracy, test_images, epochs_done, seconds, "
                  "network_parameters, attempts, trial_id FROM ranking {}",
                  limit ? fmt::format("LIMIT {}", *limit) : ""),
      {}, [&](const SQLite::Statement& row) { trials.push_back(read_ranked_trial(row)); });
  return trials;
}

std::vector<Invocation> ResultsReader::invocations() {
  std::vector<Invocation> invocations;
  std::map<std::int64_t, std::size_t> index;
  connection_->each("SELECT id, begun_at, command_line, host FROM invocation ORDER BY id", {},
                    [&](const SQLite::Statement& row) {
                      index[row.getColumn(0).getInt64()] = invocations.size();
                      invocations.push_back({row.getColumn(1).getString(),
                                             row.getColumn(2).getString(),
                                             row.getColumn(3).getString(),
                                             {}});
                    });
  connection_->each("SELECT invocation, name, value FROM environment ORDER BY invocation, name", {},
                    [&](const SQLite::Statement& row) {
                      invocations[index.at(row.getColumn(0).getInt64())].environment.emplace_back(
                          row.getColumn(1).getString(), row.getColumn(2).getString());
                    });
  return invocations;
}

std::vector<Attempt> ResultsReader::attempts() {
  std::vector<Attempt> attempts;
  connection_->each(R"(
      SELECT attempt.id, trial.identity, coalesce(sweep_trial.description, ''), attempt.rank,
        attempt.host, attempt.device, attempt.threads, attempt.begun_at,
        coalesce(attempt.ended_at, ''), coalesce(attempt.outcome, ''), attempt.cause,
        attempt.message, attempt.stderr_tail, attempt.precision, attempt.memory_format
      FROM attempt
      JOIN trial ON trial.id = attempt.trial
      LEFT JOIN sweep_trial ON sweep_trial.trial = trial.id
      ORDER BY attempt.id)",
                    {},
                    [&](const SQLite::Statement& row) { attempts.push_back(read_attempt(row)); });
  return attempts;
}

std::vector<Parameter> ResultsReader::parameters(const TrialId& trial) {
  std::vector<Parameter> parameters;
  connection_->each(
      "SELECT name, value FROM parameter WHERE trial = (SELECT id FROM trial WHERE identity = ?) "
      "ORDER BY name",
      {trial.hex()}, [&](const SQLite::Statement& row) {
        parameters.push_back({row.getColumn(0).getString(), read_cell(row.getColumn(1))});
      });
  return parameters;
}

std::unordered_map<std::int64_t, Cell> ResultsReader::values_of(const std::string& parameter) {
  std::unordered_map<std::int64_t, Cell> values;
  connection_->each(
      "SELECT parameter.trial, value FROM sweep_trial "
      "JOIN parameter ON name = ? AND parameter.trial = sweep_trial.trial",
      {parameter}, [&](const SQLite::Statement& row) {
        values.emplace(row.getColumn(0).getInt64(), read_cell(row.getColumn(1)));
      });
  return values;
}

std::unordered_map<std::int64_t, Cell> ResultsReader::values_of(
    const std::string& parameter, const std::vector<std::int64_t>& trials) {
  std::unordered_map<std::int64_t, Cell> values;
  // CROSS keeps the order: the other way round the array would be read again for each row.
  connection_->each(
      "SELECT trial, parameter.value FROM json_each(?) "
      "CROSS JOIN parameter ON name = ? AND trial = json_each.value",
      {nlohmann::json(trials).dump(), parameter}, [&](const SQLite::Statement& row) {
        values.emplace(row.getColumn(0).getInt64(), read_cell(row.getColumn(1)));
      });
  return values;
}

std::vector<JudgedImage> ResultsReader::images(const std::string& split) {
  std::vector<JudgedImage> images;
  connection_->each("SELECT file, label FROM image WHERE split = ? ORDER BY sweep, position",
                    {split}, [&](const SQLite::Statement& row) {
                      images.push_back({row.getColumn(0).getString(), row.getColumn(1).getInt()});
                    });
  return images;
}

void ResultsReader::predictions(
    const std::string& split, const std::vector<std::int64_t>& trials,
    const std::function<void(std::int64_t trial, const sweeps::Predictions&)>& use) {
  connection_->each(
      fmt::format("SELECT trial, images, classes, left_out, log_probabilities "
                  "FROM json_each(?) CROSS JOIN {0} ON {0}.trial = json_each.value",
                  split == "test" ? "test_result" : "prediction"),
      {nlohmann::json(trials).dump()}, [&](const SQLite::Statement& row) {
        const auto bytes = row.getColumn(4);
        use(row.getColumn(0).getInt64(),
            {.images = row.getColumn(1).getInt(),
             .classes = row.getColumn(2).getInt(),
             .log_probabilities = sweeps::floats_from({static_cast<const char*>(bytes.getBlob()),
                                                       static_cast<std::size_t>(bytes.getBytes())}),
             .left_out = row.getColumn(3).getString()});
      });
}

std::vector<sweeps::EpochMetrics> ResultsReader::epochs(const TrialId& trial) {
  std::vector<sweeps::EpochMetrics> epochs;
  connection_->each(
      fmt::format("SELECT {} FROM epoch WHERE trial = (SELECT id FROM trial WHERE identity = ?) "
                  "ORDER BY epoch",
                  kEpochColumns),
      {trial.hex()}, [&](const SQLite::Statement& row) { epochs.push_back(read_epoch(row, 0)); });
  return epochs;
}

std::vector<std::string> ResultsReader::own_metric_names() {
  std::vector<std::string> names;
  connection_->each(
      "SELECT DISTINCT name FROM epoch_metric ORDER BY name", {},
      [&](const SQLite::Statement& row) { names.push_back(row.getColumn(0).getString()); });
  return names;
}

std::unordered_map<std::int64_t, double> ResultsReader::own_metric_at_best(
    const std::string& name) {
  std::unordered_map<std::int64_t, double> values;
  connection_->each(
      "SELECT trial.id, value FROM trial JOIN epoch_metric "
      "ON epoch_metric.trial = trial.id AND epoch_metric.epoch = best_epoch AND name = ?",
      {name}, [&](const SQLite::Statement& row) {
        values.emplace(row.getColumn(0).getInt64(), row.getColumn(1).getDouble());
      });
  return values;
}

std::map<int, std::map<std::string, double>> ResultsReader::own_metrics(const TrialId& trial) {
  std::map<int, std::map<std::string, double>> metrics;
  connection_->each(
      "SELECT epoch, name, value FROM epoch_metric JOIN trial ON trial.id = trial "
      "WHERE identity = ?",
      {trial.hex()}, [&](const SQLite::Statement& row) {
        metrics[row.getColumn(0).getInt()][row.getColumn(1).getString()] =
            row.getColumn(2).getDouble();
      });
  return metrics;
}

TrialId ResultsReader::find_trial(const std::string& prefix) {
  std::vector<TrialId> found;
  std::string candidates;
  connection_->each(
      "SELECT trial.identity, sweep_trial.description FROM sweep_trial "
      "JOIN trial ON trial.id = sweep_trial.trial "
      "WHERE substr(trial.identity, 1, length(?1)) = ?1 ORDER BY sweep_trial.position",
      {prefix}, [&](const SQLite::Statement& row) {
        found.emplace_back(row.getColumn(0).getString());
        if (found.size() <= 10) {
          candidates +=
              fmt::format("\n  {:.12}  {}", found.back().hex(), row.getColumn(1).getString());
        }
      });
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw StoreError(fmt::format(
        "no trial of the plan begins with '{}'; `ranksweep rank` lists them all", prefix));
  }
  throw StoreError(fmt::format("{} trials begin with '{}'; give more digits:{}{}", found.size(),
                               prefix, candidates, found.size() > 10 ? "\n  ..." : ""));
}

Table ResultsReader::query(const std::string& sql) {
  return run_query(connection_->database().getHandle(), sql);
}

}  // namespace ranksweep::results
