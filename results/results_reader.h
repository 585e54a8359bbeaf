#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "results/provenance.h"
#include "results/ranking.h"
#include "results/table.h"
#include "sweeps/predictions.h"
#include "sweeps/trial_history.h"

namespace SQLite {
class Database;
}

namespace ranksweep::results {

struct SweepInfo {
  std::string name;
  std::string source;  // the sweep file
  std::string data_path;
  std::string data_fingerprint;
  std::vector<std::string> classes;
  int train_images = 0;
  int val_images = 0;
  int test_images = 0;
  std::string created_at;
  std::vector<std::string> swept;
};

// One `ranksweep run`.
struct Invocation {
  std::string begun_at;
  std::string command_line;
  std::string host;
  std::vector<std::pair<std::string, std::string>> environment;  // by name
};

// One try at a trial. Times are as they stand in the database.
struct Attempt {
  sweeps::AttemptId id = 0;
  sweeps::TrialId trial;
  std::string description;  // of the trial; empty when it is no longer planned
  int rank = 0;
  std::string host;
  std::string device;
  int threads = 0;
  std::string precision;  // what it ran with; empty when the trainer did not say
  std::string memory_format;
  std::string begun_at;
  std::string ended_at;  // empty: it has not ended, or nobody saw it end
  std::string outcome;   // empty likewise
  std::string cause;
  std::string message;
  std::string stderr_tail;
};

struct Parameter {
  std::string name;
  Cell value;
};

// Reads a database, while a sweep writes to it too, and never changes a sweep's data. Holds a
// writer up only for the time of each call. Belongs to one thread. All functions throw StoreError.
class ResultsReader {
 public:
  explicit ResultsReader(const std::filesystem::path& path);
  // Reads a database that is open, as by copy_into_memory; `path` is for messages.
  ResultsReader(const std::filesystem::path& path, std::unique_ptr<SQLite::Database> database);
  ResultsReader(const ResultsReader&) = delete;
  ResultsReader& operator=(const ResultsReader&) = delete;
  ~ResultsReader();

  // Runs `read` so that all it reads is the database at one moment.
  void at_one_moment(const std::function<void()>& read);

  SweepInfo sweep();
  // By position; with a limit the first alone, without a look at the others.
  std::vector<RankedTrial> ranking(std::optional<std::size_t> limit = {});
  std::vector<Invocation> invocations();
  std::vector<Attempt> attempts();  // by id
  std::vector<Parameter> parameters(const sweeps::TrialId& trial);
  // The value of a parameter by RankedTrial::row, for the trials of the plan that have it.
  std::unordered_map<std::int64_t, Cell> values_of(const std::string& parameter);
  // The same for `trials` alone, given by their rows.
  std::unordered_map<std::int64_t, Cell> values_of(const std::string& parameter,
                                                   const std::vector<std::int64_t>& trials);
  // The images of "validation" or "test", in the order of the predictions.
  std::vector<JudgedImage> images(const std::string& split);
  // Calls `use` with the predictions for the images of "validation" or "test" of each of `trials`,
  // given by their rows, that has any.
  void predictions(const std::string& split, const std::vector<std::int64_t>& trials,
                   const std::function<void(std::int64_t trial, const sweeps::Predictions&)>& use);
  // Epochs in order. A number that was not finite is NaN.
  std::vector<sweeps::EpochMetrics> epochs(const sweeps::TrialId& trial);

  // The names of the metrics that trainers have of their own, sorted.
  std::vector<std::string> own_metric_names();
  // One of them at each trial's best epoch, by RankedTrial::row.
  std::unordered_map<std::int64_t, double> own_metric_at_best(const std::string& name);
  // Those of a trial, by epoch and name.
  std::map<int, std::map<std::string, double>> own_metrics(const sweeps::TrialId& trial);

  // The trial of the plan whose identity begins with `prefix`, of which there must be one.
  sweeps::TrialId find_trial(const std::string& prefix);

  // The rows of one SELECT (or any statement that changes nothing). A column that is named twice is
  // numbered from the second on: "epoch:2".
  Table query(const std::string& sql);

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace ranksweep::results
