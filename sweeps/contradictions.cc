#include "sweeps/contradictions.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "sweeps/architectures.h"
#include "sweeps/nearest_name.h"
#include "sweeps/trial_values.h"

namespace ranksweep::sweeps {
namespace {

enum class Severity { error, warning };

struct Rule {
  Severity severity;
  std::vector<const char*>
      about;  // all that it looks at; the first that the file gives is its place
  std::string (*message)(const TrialSpec&);  // empty when the trial keeps the rule
};

// The base is never trained.
bool stays_frozen(const TrialSpec& spec) {
  return spec.training == TrainingMode::frozen && !spec.unfreeze_at_epoch;
}

std::string frozen_until_without_training(const TrialSpec& spec) {
  if (!spec.frozen_until || !stays_frozen(spec)) return "";
  return "frozen_until says which blocks are trained, but training: frozen trains none; take "
         "training: full, or add unfreeze_at_epoch";
}

std::string unknown_block(const TrialSpec& spec) {
  if (spec.frozen_until && is_torchscript(spec.architecture)) {
    return fmt::format("frozen_until: {} is one block; take training: frozen or full",
                       spec.architecture);
  }
  const Architecture* architecture = find_architecture(spec.architecture);
  if (!spec.frozen_until || architecture == nullptr) return "";
  const auto& blocks = architecture->blocks;
  if (std::find(blocks.begin(), blocks.end(), *spec.frozen_until) != blocks.end()) return "";
  return fmt::format("frozen_until: {} has no block `{}`{}", spec.architecture, *spec.frozen_until,
                     suggestion(*spec.frozen_until, blocks));
}

std::string base_rate_without_training(const TrialSpec& spec) {
  if (!spec.base_learning_rate || !stays_frozen(spec)) return "";
  return "base_learning_rate is the rate of a base that is trained, but training: frozen trains "
         "none; take training: full, or add unfreeze_at_epoch";
}

std::string unfreezing_without_frozen(const TrialSpec& spec) {
  if (!spec.unfreeze_at_epoch || spec.training == TrainingMode::frozen) return "";
  return "unfreeze_at_epoch needs training: frozen; with training: full the base is trained from "
         "the first epoch on";
}

std::string unfreezing_too_late(const TrialSpec& spec) {
  if (!spec.unfreeze_at_epoch || *spec.unfreeze_at_epoch <= spec.epochs) return "";
  return fmt::format("unfreeze_at_epoch: {} never comes; the trial has {} epochs",
                     *spec.unfreeze_at_epoch, spec.epochs);
}

std::string unused_momentum(const TrialSpec& spec) {
  if (spec.momentum == 0 || spec.optimizer == Optimizer::sgd ||
      spec.optimizer == Optimizer::rmsprop) {
    return "";
  }
  return fmt::format("momentum is of sgd and rmsprop; {} has its own averages",
                     encode(spec.optimizer).get<std::string>());
}

std::string unused_fill_value(const TrialSpec& spec) {
  const Augmentation& augmentation = spec.augmentation;
  if (augmentation.fill_value == 0 || augmentation.fill_mode == FillMode::constant) return "";
  return "augmentation.fill_value is seen with fill_mode: constant only";
}

std::string endless_warmup(const TrialSpec& spec) {
  const auto* cosine = std::get_if<CosineSchedule>(&spec.schedule);
  if (cosine == nullptr || cosine->warmup_epochs == 0 || cosine->warmup_epochs < spec.epochs) {
    return "";
  }
  return fmt::format(
      "schedule.warmup_epochs: {} leaves no epoch after the warm-up; the trial has {}",
      cosine->warmup_epochs, spec.epochs);
}

std::string too_small_images(const TrialSpec& spec) {
  const Architecture* architecture = find_architecture(spec.architecture);
  const int side = std::min(spec.image_size[0], spec.image_size[1]);
  if (architecture == nullptr || side >= architecture->smallest_size) return "";
  return fmt::format("image_size: {} needs images of at least {} x {} pixels; found {} x {}",
                     spec.architecture, architecture->smallest_size, architecture->smallest_size,
                     spec.image_size[0], spec.image_size[1]);
}

std::string more_devices_than_images(const TrialSpec& spec) {
  if (spec.devices <= 1 || spec.batch_size >= kFewestImages * spec.devices) return "";
  return fmt::format(
      "devices: a batch of {} images is too small for {} devices, which take two images each at "
      "least; batch_size counts the images of all devices together, so raise it or take fewer "
      "devices",
      spec.batch_size, spec.devices);
}

// A file of weights can be told from a TorchScript file by its ending.
std::string other_weights(const TrialSpec& spec) {
  if (!is_torchscript(spec.architecture)) return "";
  if (spec.weights && !spec.weights->ends_with(".safetensors")) return "";
  return fmt::format("weights: {} brings its own; leave `weights` out for it", spec.architecture);
}

std::string unshared_batch_norm(const TrialSpec& spec) {
  if (!spec.sync_batch_norm || !is_torchscript(spec.architecture)) return "";
  return fmt::format("sync_batch_norm: the batch normalisation inside of {} cannot be shared",
                     spec.architecture);
}

std::string random_features(const TrialSpec& spec) {
  if (spec.training != TrainingMode::frozen || spec.weights) return "";
  return fmt::format("{} is frozen without weights: its head learns from random features",
                     spec.architecture);
}

std::string steps_too_late(const TrialSpec& spec) {
  const auto* step = std::get_if<StepSchedule>(&spec.schedule);
  if (step == nullptr || step->every < spec.epochs) return "";
  return fmt::format("schedule.every: {} never comes; the trial has {} epochs", step->every,
                     spec.epochs);
}

std::string stops_before_plateau(const TrialSpec& spec) {
  const auto* plateau = std::get_if<PlateauSchedule>(&spec.schedule);
  if (plateau == nullptr || !spec.early_stopping ||
      plateau->patience < spec.early_stopping->patience) {
    return "";
  }
  return fmt::format(
      "schedule.patience: {} is no shorter than early_stopping's {}, which ends the trial first",
      plateau->patience, spec.early_stopping->patience);
}

const std::vector<Rule>& rules() {
  using enum Severity;
  static const std::vector<Rule> all = {
      {error, {"frozen_until", "training", "unfreeze_at_epoch"}, frozen_until_without_training},
      {error, {"frozen_until", "architecture"}, unknown_block},
      {error, {"base_learning_rate", "training", "unfreeze_at_epoch"}, base_rate_without_training},
      {error, {"unfreeze_at_epoch", "training"}, unfreezing_without_frozen},
      {error, {"unfreeze_at_epoch", "epochs"}, unfreezing_too_late},
      {error, {"momentum", "optimizer"}, unused_momentum},
      {error, {"augmentation"}, unused_fill_value},
      {error, {"schedule", "epochs"}, endless_warmup},
      {error, {"image_size", "architecture"}, too_small_images},
      {error, {"devices", "batch_size"}, more_devices_than_images},
      {error, {"weights", "architecture"}, other_weights},
      {error, {"sync_batch_norm", "architecture"}, unshared_batch_norm},
      {warning, {"training", "architecture", "weights"}, random_features},
      {warning, {"schedule", "epochs"}, steps_too_late},
      {warning, {"schedule", "early_stopping"}, stops_before_plateau},
  };
  return all;
}

class ContradictionFinder {
 public:
  ContradictionFinder(const Grid& grid, const std::set<const TrialParameter*>& unread)
      : grid_(grid) {
    for (const Rule& rule : rules()) {
      const bool is_known = std::none_of(
          rule.about.begin(), rule.about.end(),
          [&](const char* name) { return unread.contains(find_trial_parameter(name)); });
      if (is_known) rules_.push_back(&rule);
    }
  }

  void look_at(const GridTrial& trial) {
    for (const Rule* rule : rules_) {
      std::string message = rule->message(trial.spec);
      if (message.empty()) continue;
      const auto [line, column] = place(*rule, trial);
      ++counts_[{line, column, std::move(message), rule->severity}];
    }
  }

  void report(std::vector<Diagnostic>& errors, std::vector<Diagnostic>& warnings) const {
    for (const auto& [finding, trials] : counts_) {
      const auto& [line, column, message, severity] = finding;
      auto& found = severity == Severity::error ? errors : warnings;
      found.push_back(
          {line, column, trials == 1 ? message : fmt::format("{} ({} trials)", message, trials)});
    }
  }

 private:
  const Setting* setting_of(const TrialParameter& parameter, const GridTrial& trial) const {
    for (const Setting* setting : trial.settings) {
      if (setting->parameter == &parameter) return setting;
    }
    return find_setting(grid_.defaults, parameter);
  }

  std::pair<int, int> place(const Rule& rule, const GridTrial& trial) const {
    for (const char* name : rule.about) {
      const Setting* setting = setting_of(*find_trial_parameter(name), trial);
      if (setting != nullptr) return {setting->line, setting->column};
    }
    return {0, 0};
  }

  const Grid& grid_;
  std::vector<const Rule*> rules_;
  std::map<std::tuple<int, int, std::string, Severity>, int> counts_;
};

}  // namespace

void find_contradictions(const Grid& grid, const std::vector<GridTrial>& trials,
                         const std::set<const TrialParameter*>& unread,
                         std::vector<Diagnostic>& errors, std::vector<Diagnostic>& warnings) {
  ContradictionFinder finder(grid, unread);
  for (const GridTrial& trial : trials) finder.look_at(trial);
  finder.report(errors, warnings);
}

}  // namespace ranksweep::sweeps
