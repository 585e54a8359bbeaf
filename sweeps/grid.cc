#include "sweeps/grid.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "sweeps/identifier.h"

namespace ranksweep::sweeps {
namespace {

class Expansion {
 public:
  Expansion(const Grid& grid, std::vector<Diagnostic>& warnings)
      : grid_(grid),
        warnings_(warnings),
        matched_(grid.excluded.size(), false),
        defaults_(grid.start) {
    for (const Setting& setting : grid.defaults) setting.apply_to(defaults_);
  }

  std::vector<GridTrial> run() {
    if (!grid_.axes.empty() || grid_.included.empty()) add_points(0, {defaults_, {}});
    for (std::size_t i = 0; i < matched_.size(); ++i) {
      if (!matched_[i]) {
        warnings_.push_back({grid_.excluded[i].line, grid_.excluded[i].column,
                             "exclude: no point of the grid has these values"});
      }
    }
    add_included();
    return std::move(trials_);
  }

 private:
  void add_points(std::size_t depth, GridTrial trial) {
    if (depth == grid_.axes.size()) {
      add_by_architecture(trial);
      if (!is_excluded(trial.spec)) trials_.push_back(std::move(trial));
      return;
    }
    for (const Setting& value : grid_.axes[depth].values) {
      GridTrial next = trial;
      add(value, next);
      add_points(depth + 1, std::move(next));
    }
  }

  void add_included() {
    if (grid_.included.empty()) return;
    Identifier identifier("");
    std::unordered_map<std::string, int> line_of;  // of each trial so far; 0: of the grid
    for (const GridTrial& trial : trials_) line_of[identifier.identify(trial.spec).hex()] = 0;
    for (const Selection& entry : grid_.included) {
      GridTrial trial{defaults_, {}};
      for (const Setting& setting : entry.settings) add(setting, trial);
      add_by_architecture(trial);
      const auto [first, is_new] =
          line_of.emplace(identifier.identify(trial.spec).hex(), entry.line);
      if (is_new) {
        trials_.push_back(std::move(trial));
      } else {
        const std::string place = first->second == 0 ? std::string("of the grid")
                                                     : fmt::format("of line {}", first->second);
        warnings_.push_back(
            {entry.line, entry.column,
             fmt::format("include: the trial is the same as one {}; it is trained once", place)});
      }
    }
  }

  static void add(const Setting& setting, GridTrial& trial) {
    setting.apply_to(trial.spec);
    trial.settings.push_back(&setting);
  }

  // A trial's own values come first, `weights: none` too.
  void add_by_architecture(GridTrial& trial) const {
    const auto found = grid_.by_architecture.find(trial.spec.architecture);
    if (found == grid_.by_architecture.end()) return;
    for (const Setting& setting : found->second) {
      const bool has_own =
          std::any_of(trial.settings.begin(), trial.settings.end(),
                      [&](const Setting* own) { return own->parameter == setting.parameter; });
      if (!has_own) setting.apply_to(trial.spec);
    }
  }

  bool is_excluded(const Trial& spec) {
    bool excluded = false;
    for (std::size_t i = 0; i < grid_.excluded.size(); ++i) {
      const auto& settings = grid_.excluded[i].settings;
      const bool matches = std::all_of(settings.begin(), settings.end(),
                                       [&](const Setting& s) { return s.matches(spec); });
      if (matches) matched_[i] = excluded = true;
    }
    return excluded;
  }

  const Grid& grid_;
  std::vector<Diagnostic>& warnings_;
  std::vector<bool> matched_;
  Trial defaults_;
  std::vector<GridTrial> trials_;
};

}  // namespace

bool may_differ_by_architecture(const TrialParameter& parameter) {
  return parameter.name == "weights" || parameter.name == "devices";
}

std::int64_t count_points(const Grid& grid) {
  std::int64_t count = 1;
  for (const Axis& axis : grid.axes) {
    count = std::min<std::int64_t>(count * static_cast<std::int64_t>(axis.values.size()),
                                   kMostTrials + 1);
  }
  return count;
}

std::vector<GridTrial> expand(const Grid& grid, std::vector<Diagnostic>& warnings) {
  return Expansion(grid, warnings).run();
}

}  // namespace ranksweep::sweeps
