#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/shape.h"
#include "sweeps/trial.h"

namespace ranksweep::sweeps {

// The block of a sweep file that holds a parameter's value for all trials.
enum class Block { training, data };

// One parameter of a trial. The table of them is the one place that says what a parameter is
// called, what it may be, and what it means.
struct TrialParameter {
  std::string name;        // in grid, include, exclude, and in the canonical form
  std::string block_name;  // in its block: `seed` of the data is the parameter `data_seed`
  Block block = Block::training;
  std::string label;  // before a value in a trial's short name; "" where the value says enough
  std::string doc;    // one sentence, without the full stop
  Shape shape;
  std::function<nlohmann::json(const Trial&)> get;         // canonical
  std::function<void(Trial&, const nlohmann::json&)> set;  // of a value that has the shape
  std::function<void(Trial& to, const Trial& from)> copy;
  std::function<bool(const Trial&, const Trial&)> equal;
  bool identified_at_default = true;  // no: trials from before it was there keep their identity
};

// Those of the built-in trainer, in the order of the documentation.
const std::vector<TrialParameter>& trial_parameters();

// Null when there is no such parameter.
const TrialParameter* find_trial_parameter(const std::string& name);
std::vector<std::string> trial_parameter_names();

}  // namespace ranksweep::sweeps
