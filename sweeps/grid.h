#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sweeps/setting.h"

namespace ranksweep::sweeps {

// A parameter that is swept: a name with its values, no two equal.
struct Axis {
  const TrialParameter* parameter = nullptr;
  std::vector<Setting> values;
};

// An entry of `include` or `exclude`.
struct Selection {
  std::vector<Setting> settings;
  int line = 0;
  int column = 0;
};

// What a sweep file says about trials, before it is multiplied out.
struct Grid {
  Trial start;  // what every trial is before anything is set
  std::vector<Setting> defaults;
  // Defaults of single architectures, by name: what may_differ_by_architecture().
  std::map<std::string, std::vector<Setting>> by_architecture;
  std::vector<Axis> axes;  // in the file's order; the last turns fastest
  std::vector<Selection> excluded;
  std::vector<Selection> included;
};

// A trial and where its values come from, for messages about it.
struct GridTrial {
  Trial spec;
  std::vector<const Setting*> settings;  // its own: of the axes, or of its entry in `include`
};

// Whether the parameter's default may be a mapping, with a value for each architecture: what suits
// one network and not the next, and is not compared.
bool may_differ_by_architecture(const TrialParameter& parameter);

inline constexpr std::int64_t kMostTrials = 1'000'000;

// The number of points of the grid before `exclude`, at most kMostTrials + 1.
std::int64_t count_points(const Grid& grid);

// The trials in order: the grid's points that no entry of `exclude` matches in all its values, then
// those of `include`, each the defaults changed by its own values. Without axes and entries of
// `include`, the defaults are the one trial. A trial that comes twice is kept once, with a warning;
// so is an entry of `exclude` that matches nothing.
std::vector<GridTrial> expand(const Grid& grid, std::vector<Diagnostic>& warnings);

}  // namespace ranksweep::sweeps
