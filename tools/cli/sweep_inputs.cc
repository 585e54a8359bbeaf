#include "tools/cli/sweep_inputs.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/identifier.h"
#include "tools/cli/cost_model.h"
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
  if (inputs.sweep.data.on_leakage == sweeps::DataSpec::OnLeakage::fail) {
    throw worker::DataError(
        fmt::format("{}: {}\nMend the splits, or set data.on_leakage: warn. `ranksweep data check` "
                    "shows all.",
                    inputs.sweep.data.path.string(), text));
  }
  warnings.push_back(text + "\n  `ranksweep data check` shows all.");
}

void shorten(sweeps::SweepSpec& sweep) {
  constexpr int kMostEpochs = 4;
  sweep.execution.max_attempts = 100;
  for (sweeps::TrialSpec& trial : sweep.trials) trial.epochs = std::min(trial.epochs, kMostEpochs);
  sweeps::Identifier identifier("");
  std::unordered_set<std::string> known;
  std::erase_if(sweep.trials, [&](const sweeps::TrialSpec& trial) {
    return !known.insert(identifier.identify(trial).hex()).second;
  });
}

void keep_smallest(sweeps::Plan& plan) {
  constexpr std::size_t kTrials = 3;
  std::ranges::stable_sort(plan.trials, {}, &sweeps::PlannedTrial::cost);
  plan.trials.resize(std::min(plan.trials.size(), kTrials));
}

}  // namespace

SweepInputs load_inputs(const std::filesystem::path& sweep_file,
                        const std::filesystem::path& trainer, Extent extent) {
  SweepInputs inputs;
  inputs.sweep = sweeps::load_sweep(sweep_file);
  if (extent == Extent::small) shorten(inputs.sweep);
  inputs.data = worker::list_data_set(inputs.sweep.data);
  const worker::FileHashes hashes = worker::hash_files(inputs.data, inputs.sweep.data.on_bad_file);
  inputs.data_fingerprint = worker::combine_fingerprint(inputs.data, hashes);
  inputs.leakage = worker::find_leakage(inputs.data, hashes);
  judge_leakage(inputs, inputs.sweep.warnings);
  inputs.plan = sweeps::make_plan(inputs.sweep, inputs.data_fingerprint);
  const auto costs = estimate_costs(inputs.plan, static_cast<int>(inputs.data.train.size()),
                                    static_cast<int>(inputs.data.validation.size()), trainer);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    sweeps::PlannedTrial& trial = inputs.plan.trials[i];
    trial.cost = costs[i].multiply_adds;
    trial.base = costs[i].base;
    trial.base_cost = costs[i].base_multiply_adds;
    inputs.multiply_adds += costs[i].multiply_adds;
    inputs.checkpoint_bytes += costs[i].checkpoint_bytes;
  }
  if (extent == Extent::small) keep_smallest(inputs.plan);
  return inputs;
}

}  // namespace ranksweep::cli
