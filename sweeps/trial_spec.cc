#include "sweeps/trial_spec.h"

#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "sweeps/nearest_name.h"
#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

const Shape& hash_shape() {
  static const Shape shape{AnyOf{{{Nothing{"none"}}, {Text{"a hash in hexadecimal", 32}}}}};
  return shape;
}

}  // namespace

json to_canonical_json(const TrialSpec& spec) { return to_canonical_json(Trial(spec)); }

TrialSpec trial_spec_from_json(const json& object) {
  if (!object.is_object() || !object.contains("architecture")) {
    throw std::invalid_argument("no trial: an object with `architecture` is wanted");
  }
  Trial trial;  // what parameters are set in
  TrialSpec& spec = trial;
  std::vector<Diagnostic> found;
  for (const auto& [name, value] : object.items()) {
    const Node node = node_from_json(value);
    if (name == "weights_hash") {
      if (check(hash_shape(), node, name, found) && value.is_string()) {
        spec.weights_hash = value.get<std::string>();
      }
    } else if (name == "architecture" && value.is_string() &&
               is_torchscript(value.get_ref<const std::string&>())) {
      spec.architecture = value.get<std::string>();  // whose file is among the weights
    } else if (const TrialParameter* parameter = find_trial_parameter(name)) {
      if (check(parameter->shape, node, name, found)) parameter->set(trial, value);
    } else {
      found.push_back({0, 0,
                       fmt::format("a trial has no parameter `{}`{}", name,
                                   suggestion(name, trial_parameter_names()))});
    }
  }
  if (found.empty()) return spec;
  std::string message;
  for (const Diagnostic& diagnostic : found) {
    message += (message.empty() ? "" : "\n") + diagnostic.message;
  }
  throw std::invalid_argument(message);
}

}  // namespace ranksweep::sweeps
