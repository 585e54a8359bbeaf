#include "tools/cli/automatic_choices.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "sweeps/trial_values.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

using results::StepMeasured;
using sweeps::MemoryFormat;
using sweeps::Precision;
using sweeps::TrialSpec;
using Variant = std::pair<Precision, MemoryFormat>;

constexpr int kSteps = 3;               // timed, after one that warms up
constexpr double kLargestShare = 0.01;  // of the planned steps, for timing
constexpr double kMargin = 1.1;         // by which a choice has to beat the default one

bool base_stays_frozen(const TrialSpec& spec) {
  return spec.training == sweeps::TrainingMode::frozen && !spec.unfreeze_at_epoch;
}

// What decides how long a step takes, beside precision and memory format.
TrialSpec step_of(const TrialSpec& spec) {
  TrialSpec step;
  step.architecture = spec.architecture;
  step.training =
      base_stays_frozen(spec) ? sweeps::TrainingMode::frozen : sweeps::TrainingMode::full;
  step.image_size = spec.image_size;
  if (!base_stays_frozen(spec)) {
    step.batch_size = (spec.batch_size + spec.devices - 1) / spec.devices;
  }
  return step;
}

StepMeasured row_of(const TrialSpec& step, const Variant& variant) {
  return {.architecture = step.architecture,
          .training = sweeps::encode(step.training),
          .image_size = step.image_size,
          .batch_size = step.batch_size,
          .precision = sweeps::encode(variant.first),
          .memory_format = sweeps::encode(variant.second)};
}

// The rows' order: what a time is of.
auto key_of(const StepMeasured& row) {
  return std::tie(row.architecture, row.training, row.image_size, row.batch_size, row.precision,
                  row.memory_format);
}
struct SameStep {
  bool operator()(const StepMeasured& a, const StepMeasured& b) const {
    return key_of(a) < key_of(b);
  }
};
using Times = std::set<StepMeasured, SameStep>;

// Half precision is not among them: whether a training bears its narrow range is not seen in a
// time.
std::vector<Variant> variants_of(const TrialSpec& spec, const std::string& device) {
  std::vector<Precision> precisions = {spec.precision};
  if (spec.precision == Precision::automatic) {
    precisions = {Precision::float32, Precision::bfloat16};
    if (device != "cpu") precisions.push_back(Precision::tf32);
  }
  std::vector<MemoryFormat> formats = {spec.memory_format};
  if (spec.memory_format == MemoryFormat::automatic) {
    formats = {MemoryFormat::channels_last, MemoryFormat::contiguous};
  }
  std::vector<Variant> variants;
  for (const Precision precision : precisions) {
    for (const MemoryFormat format : formats) variants.emplace_back(precision, format);
  }
  return variants;
}

// Steps like those of `spec` that it plans. Heads on one frozen base share its passes.
double planned_steps(const TrialSpec& spec, int train_images) {
  const double batches = std::ceil(static_cast<double>(train_images) / spec.batch_size);
  const bool once = base_stays_frozen(spec) && spec.augmentation == sweeps::Augmentation{};
  return once ? batches : batches * spec.epochs;
}

// Steps of one kind, and the choices that trials leave to `auto` for them.
struct Wanted {
  TrialSpec step;
  std::set<Variant> variants;
  double planned = 0;
};

std::vector<Wanted> wanted_by(const sweeps::Plan& plan, int train_images,
                              const std::string& device) {
  std::map<StepMeasured, Wanted, SameStep> all;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    const std::vector<Variant> variants = variants_of(trial.spec, device);
    if (variants.size() < 2) continue;
    const TrialSpec step = step_of(trial.spec);
    Wanted& wanted = all[row_of(step, {})];
    wanted.step = step;
    wanted.variants.insert(variants.begin(), variants.end());
    const double steps = planned_steps(trial.spec, train_images);
    wanted.planned =
        base_stays_frozen(trial.spec) ? std::max(wanted.planned, steps) : wanted.planned + steps;
  }
  std::vector<Wanted> list;
  for (auto& [key, wanted] : all) list.push_back(std::move(wanted));
  return list;
}

void print_times(const Wanted& wanted, const std::vector<StepMeasured>& rows) {
  std::string text;
  for (const StepMeasured& row : rows) {
    const std::string time = row.seconds ? fmt::format("{:.3g} s", *row.seconds) : "not here";
    text +=
        fmt::format("{}{} {} {}", text.empty() ? "" : ", ", row.precision, row.memory_format, time);
  }
  fmt::print("auto: a step of {} ({}): {}\n", wanted.step.architecture,
             sweeps::encode(wanted.step.training).get<std::string>(), text);
  std::fflush(stdout);
}

std::vector<StepMeasured> time_steps(const Wanted& wanted, const std::vector<Variant>& variants,
                                     const TimingPlace& place) {
  std::vector<std::string> arguments = {"steps",
                                        "--device",
                                        place.device,
                                        "--threads",
                                        std::to_string(place.threads),
                                        "--steps",
                                        std::to_string(kSteps)};
  for (const auto& [precision, format] : variants) {
    TrialSpec spec = wanted.step;
    spec.precision = precision;
    spec.memory_format = format;
    arguments.push_back(sweeps::to_canonical_json(spec).dump());
  }
  const nlohmann::json answer = ask_trainer(place.trainer, arguments);
  std::vector<StepMeasured> rows;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    StepMeasured& row = rows.emplace_back(row_of(wanted.step, variants[i]));
    row.device = place.device;
    row.threads = place.threads;
    for (const nlohmann::json& step : answer.at(i)) {  // none of null
      const double seconds = step.at(0);
      row.seconds = std::min(row.seconds.value_or(seconds), seconds);
    }
  }
  return rows;
}

void time_what_is_missing(const Wanted& wanted, const TimingPlace& place,
                          results::SqliteStore& store, Times& times) {
  std::vector<Variant> missing;
  for (const Variant& variant : wanted.variants) {
    if (!times.contains(row_of(wanted.step, variant))) missing.push_back(variant);
  }
  const double cost = static_cast<double>(missing.size()) * (1 + kSteps);
  if (missing.empty() || cost > kLargestShare * wanted.planned) return;
  try {
    const std::vector<StepMeasured> rows = time_steps(wanted, missing, place);
    const std::vector<results::Change> changes(rows.begin(), rows.end());
    store.commit(changes);
    times.insert(rows.begin(), rows.end());
    print_times(wanted, rows);
  } catch (const cluster::CommandStopped&) {
    throw CommandError(ExitCode::interrupted,
                       "interrupted while training steps were timed. To go on, run the same "
                       "command again.");
  } catch (const results::StoreError&) {
    throw;
  } catch (const std::runtime_error& error) {  // such as too little memory, which ends no sweep
    fmt::print(stderr, "warning: a step of {} cannot be timed, so `auto` takes the default: {}\n",
               wanted.step.architecture, error.what());
  }
}

// Nothing when there are no times to choose by.
std::optional<Variant> quickest(const TrialSpec& spec, const std::string& device,
                                const Times& times) {
  std::optional<Variant> best;
  double least = 0;
  for (const Variant& variant : variants_of(spec, device)) {
    const auto found = times.find(row_of(step_of(spec), variant));
    if (found == times.end() || !found->seconds) continue;
    double seconds = *found->seconds;
    if (variant.first != Precision::float32) seconds *= kMargin;
    if (variant.second != MemoryFormat::channels_last) seconds *= kMargin;
    if (!best || seconds < least) {
      best = variant;
      least = seconds;
    }
  }
  return best;
}

}  // namespace

sweeps::Plan settle_automatic_choices(const sweeps::Plan& plan, int train_images,
                                      const TimingPlace& place, results::SqliteStore& store) {
  const std::vector<StepMeasured> known = store.measured_steps();
  Times times(known.begin(), known.end());
  for (const Wanted& wanted : wanted_by(plan, train_images, place.device)) {
    time_what_is_missing(wanted, place, store, times);
  }
  sweeps::Plan settled = plan;
  for (sweeps::PlannedTrial& trial : settled.trials) {
    if (const auto choice = quickest(trial.spec, place.device, times)) {
      std::tie(trial.spec.precision, trial.spec.memory_format) = *choice;
    }
  }
  return settled;
}

}  // namespace ranksweep::cli
