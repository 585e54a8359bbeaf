#include "tools/cli/sweep_inputs.h"

#include <algorithm>
#include <numeric>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/identifier.h"
#include "tools/cli/cost_model.h"
#include "tools/cli/exit_code.h"
#include "worker/data/fingerprint.h"
#include "worker/data/leakage.h"

namespace ranksweep::cli {
namespace {

// The first of them, as one text.
std::string describe_leakage(const std::vector<std::string>& leakage) {
  constexpr std::size_t kShown = 5;
  const auto shown = leakage.begin() + std::min<std::ptrdiff_t>(kShown, std::ssize(leakage));
  std::string text =
      fmt::format("validation is told what training has seen, so its losses are too good:\n  {}",
                  fmt::join(leakage.begin(), shown, "\n  "));
  if (leakage.size() > kShown) text += fmt::format("\n  ... and {} more", leakage.size() - kShown);
  return text;
}

void judge_leakage(const SweepInputs& inputs, std::vector<std::string>& warnings) {
  if (inputs.leakage.empty()) return;
  const std::string text = describe_leakage(inputs.leakage);
  if (inputs.file.sweep.data.on_leakage == sweeps::DataSpec::OnLeakage::fail) {
    throw worker::DataError(
        fmt::format("{}: {}\nMend the splits, or set data.on_leakage: warn. `ranksweep data check` "
                    "shows all.",
                    inputs.file.sweep.data.path.string(), text));
  }
  warnings.push_back(text + "\n  `ranksweep data check` shows all.");
}

void shorten(sweeps::SweepFile& file) {
  constexpr int kMostEpochs = 4;
  file.sweep.execution.max_attempts = 100;
  for (sweeps::Trial& trial : file.trials) trial.epochs = std::min(trial.epochs, kMostEpochs);
  sweeps::Identifier identifier("");
  std::unordered_set<std::string> known;
  std::erase_if(file.trials, [&](const sweeps::Trial& trial) {
    return !known.insert(identifier.identify(trial).hex()).second;
  });
}

void keep_smallest(sweeps::Plan& plan) {
  constexpr std::size_t kTrials = 3;
  std::ranges::stable_sort(plan.trials, {}, &sweeps::PlannedTrial::cost);
  plan.trials.resize(std::min(plan.trials.size(), kTrials));
}

// Reads what the results depend on besides the parameters of trials. Returns its fingerprint.
std::string read_content(SweepInputs& inputs) {
  const sweeps::SweepFile& file = inputs.file;
  std::string fingerprint;
  if (inputs.has_data()) {
    inputs.data = worker::list_data_set(file.sweep.data);
    const auto hashes = worker::hash_files(inputs.data, file.sweep.data.on_bad_file);
    fingerprint = worker::combine_fingerprint(inputs.data, hashes);
    inputs.leakage = worker::find_leakage(inputs.data, hashes);
  }
  if (!file.trainer) return fingerprint;
  try {
    return sweeps::hash_hex(sweeps::fingerprint(*file.trainer) + fingerprint);
  } catch (const std::system_error& error) {
    throw CommandError(ExitCode::bad_input, fmt::format("{}: trainer.inputs cannot be read: {}",
                                                        file.sweep.file.string(), error.what()));
  }
}

void add_costs(SweepInputs& inputs, const std::filesystem::path& trainer) {
  const auto costs = estimate_costs(inputs.plan, static_cast<int>(inputs.data.train.size()),
                                    static_cast<int>(inputs.data.validation.size()), trainer);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    sweeps::PlannedTrial& trial = inputs.plan.trials[i];
    trial.cost = costs[i].multiply_adds;
    trial.base = costs[i].base;
    trial.base_cost = costs[i].base_multiply_adds;
    trial.memory_bytes = costs[i].memory_bytes;
    trial.memory_bytes_per_image = costs[i].memory_bytes_per_image;
    inputs.checkpoint_bytes += costs[i].checkpoint_bytes;
  }
}

}  // namespace

double SweepInputs::work() const {
  return std::accumulate(plan.trials.begin(), plan.trials.end(), 0.0,
                         [](double sum, const auto& trial) { return sum + trial.cost; });
}

std::string subject_text(const SweepInputs& inputs) {
  std::string text;
  if (inputs.has_data()) {
    text = fmt::format(", {} + {} images of {}", inputs.data.train.size(),
                       inputs.data.validation.size(), fmt::join(inputs.data.classes, ", "));
  }
  if (inputs.file.trainer) {
    text += fmt::format(", trained by `{}`", fmt::join(inputs.file.trainer->command, " "));
  }
  return text;
}

SweepInputs load_inputs(const std::filesystem::path& sweep_file,
                        const std::filesystem::path& trainer, Extent extent) {
  SweepInputs inputs;
  inputs.file = sweeps::load_sweep_file(sweep_file);
  if (extent == Extent::small) shorten(inputs.file);
  const std::string fingerprint = read_content(inputs);
  judge_leakage(inputs, inputs.file.sweep.warnings);
  inputs.plan = sweeps::make_plan(inputs.file, fingerprint);
  if (inputs.file.trainer) {
    for (sweeps::PlannedTrial& trial : inputs.plan.trials) trial.cost = trial.spec.epochs;
  } else {
    add_costs(inputs, trainer);
  }
  if (extent == Extent::small) keep_smallest(inputs.plan);
  return inputs;
}

}  // namespace ranksweep::cli
