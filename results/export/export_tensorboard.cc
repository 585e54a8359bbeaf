#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "results/export/export.h"
#include "results/export/tf_record.h"
#include "results/sweep_store.h"
#include "results/text.h"
#include "results/utc_time.h"

// The numbers of the fields are those of TensorBoard's protocol buffers: compat/proto/event.proto,
// summary.proto, plugins/hparams/api.proto and plugin_data.proto.
namespace ranksweep::results {
namespace {

using protozero::pbf_writer;

double seconds_of(const std::string& time) {
  return std::chrono::duration<double>(parse_utc(time).time_since_epoch()).count();
}

class EventFile {
 public:
  EventFile(const std::filesystem::path& folder, double begun)
      : path_(folder / fmt::format("events.out.tfevents.{:.0f}.ranksweep", begun)) {
    std::filesystem::create_directories(folder);
    file_.open(path_, std::ios::binary);
    std::string event;
    pbf_writer writer(event);
    writer.add_double(1, begun);
    writer.add_string(3, "brain.Event:2");
    write(event);
  }

  void add_scalar(const std::string& tag, double time, int step, double value) {
    std::string event;
    pbf_writer writer(event);
    writer.add_double(1, time);
    writer.add_int64(2, step);
    {
      pbf_writer summary(writer, 5);
      pbf_writer entry(summary, 1);
      entry.add_string(1, tag);
      entry.add_float(2, static_cast<float>(value));
    }
    write(event);
  }

  // `content` is a field of HParamsPluginData.
  void add_hparams(const std::string& tag, double time, int field, const std::string& content) {
    std::string data;
    pbf_writer(data).add_message(static_cast<protozero::pbf_tag_type>(field), content);
    std::string event;
    pbf_writer writer(event);
    writer.add_double(1, time);
    {
      pbf_writer summary(writer, 5);
      pbf_writer entry(summary, 1);
      entry.add_string(1, "_hparams_/" + tag);
      pbf_writer metadata(entry, 9);
      pbf_writer plugin(metadata, 1);
      plugin.add_string(1, "hparams");
      plugin.add_bytes(2, data);
    }
    write(event);
  }

  void close() {
    file_.close();
    if (!file_) throw StoreUnavailable(fmt::format("{}: cannot be written", path_.string()));
  }

 private:
  void write(const std::string& event) { file_ << tf_record(event); }

  std::filesystem::path path_;
  std::ofstream file_;
};

// A swept parameter. TensorBoard wants one type: numbers, or text for all.
struct Hyperparameter {
  std::string name;
  std::unordered_map<std::int64_t, Cell> values;  // by RankedTrial::row
  bool is_number = true;
};

bool holds_number(const Cell& cell) {
  return std::holds_alternative<double>(cell) || std::holds_alternative<std::int64_t>(cell);
}

std::vector<Hyperparameter> read_hyperparameters(ResultsReader& reader) {
  std::vector<Hyperparameter> parameters;
  for (const std::string& name : reader.sweep().swept) {
    Hyperparameter parameter{.name = name, .values = reader.values_of(name)};
    parameter.is_number = std::all_of(parameter.values.begin(), parameter.values.end(),
                                      [](const auto& entry) { return holds_number(entry.second); });
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

double as_number(const Cell& cell) {
  const auto* whole = std::get_if<std::int64_t>(&cell);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(cell);
}

constexpr const char* kBestLoss = "best/val_loss";
constexpr const char* kBestAccuracy = "best/val_accuracy";

// Which hyperparameters and metrics there are, in the folder of the whole sweep.
void write_experiment(const std::filesystem::path& folder, const SweepInfo& sweep,
                      const std::vector<Hyperparameter>& parameters) {
  constexpr int kText = 1, kFloat = 3;
  const double created = seconds_of(sweep.created_at);
  std::string experiment;
  {
    pbf_writer writer(experiment);
    writer.add_double(3, created);
    for (const Hyperparameter& parameter : parameters) {
      pbf_writer info(writer, 4);
      info.add_string(1, valid_utf8(parameter.name));
      info.add_enum(4, parameter.is_number ? kFloat : kText);
    }
    for (const char* tag : {kBestLoss, kBestAccuracy}) {
      pbf_writer info(writer, 5);
      pbf_writer name(info, 1);
      name.add_string(2, tag);
    }
    writer.add_string(6, valid_utf8(sweep.name));
  }
  EventFile file(folder, created);
  file.add_hparams("experiment", created, 2, experiment);
  file.close();
}

std::string session_start(const RankedTrial& trial, const std::vector<Hyperparameter>& parameters,
                          double begun) {
  std::string session;
  pbf_writer writer(session);
  for (const Hyperparameter& parameter : parameters) {
    const auto found = parameter.values.find(trial.row);
    if (found == parameter.values.end()) continue;
    pbf_writer entry(writer, 1);
    entry.add_string(1, valid_utf8(parameter.name));
    pbf_writer value(entry, 2);
    if (parameter.is_number) {
      value.add_double(2, as_number(found->second));
    } else {
      const std::string text = show_cell(found->second, Show::plain);
      value.add_string(3, text.empty() ? "none" : valid_utf8(text));
    }
  }
  writer.add_string(4, trial.trial.hex());
  writer.add_double(5, begun);
  return session;
}

std::string session_end(const RankedTrial& trial, double ended) {
  constexpr int kSuccess = 1, kFailure = 2, kRunning = 3;
  const bool finished = trial.mark == Mark::finished || trial.mark == Mark::collapsed;
  std::string session;
  pbf_writer writer(session);
  writer.add_enum(1, finished ? kSuccess : trial.mark == Mark::running ? kRunning : kFailure);
  writer.add_double(2, ended);
  return session;
}

// What people see as the run's name. Slashes would make folders of it.
std::string run_name(const RankedTrial& trial) {
  std::string name;
  for (char c : trial.description.substr(0, 80)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '=' || c == '-' || c == '+';
    name += plain ? c : '_';
  }
  return name + "_" + trial.trial.short_hex();
}

void write_run(ResultsReader& reader, const std::filesystem::path& folder, const RankedTrial& trial,
               const std::vector<Hyperparameter>& parameters, double begun) {
  EventFile file(folder / run_name(trial), begun);
  file.add_hparams("session_start_info", begun, 3, session_start(trial, parameters, begun));
  double time = begun;
  auto own_metrics = reader.own_metrics(trial.trial);
  for (const sweeps::EpochMetrics& epoch : reader.epochs(trial.trial)) {
    time += epoch.seconds;
    const auto add = [&](const char* tag, double value) {
      if (std::isfinite(value)) file.add_scalar(tag, time, epoch.epoch, value);
    };
    add("loss/train", epoch.train_loss);
    add("loss/validation", epoch.val_loss);
    add("accuracy/train", epoch.train_accuracy);
    add("accuracy/validation", epoch.val_accuracy);
    add("learning_rate", epoch.learning_rate);
    for (const auto& [name, value] : own_metrics[epoch.epoch]) add(name.c_str(), value);
    if (epoch.epoch == trial.best_epoch) {
      add(kBestLoss, epoch.val_loss);
      add(kBestAccuracy, epoch.val_accuracy);
    }
  }
  file.add_hparams("session_end_info", time, 4, session_end(trial, time));
  file.close();
}

}  // namespace

void export_tensorboard(ResultsReader& reader, const std::filesystem::path& folder) {
  make_export_folder(folder);
  reader.at_one_moment([&] {
    const auto parameters = read_hyperparameters(reader);
    write_experiment(folder, reader.sweep(), parameters);
    std::map<sweeps::TrialId, std::string> begun;
    for (const Attempt& attempt : reader.attempts()) begun.emplace(attempt.trial, attempt.begun_at);
    for (const RankedTrial& trial : reader.ranking()) {
      if (trial.epochs_done == 0) continue;
      write_run(reader, folder, trial, parameters, seconds_of(begun.at(trial.trial)));
    }
  });
}

}  // namespace ranksweep::results
