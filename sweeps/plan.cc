#include "sweeps/plan.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sweeps/identifier.h"
#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

std::string value_text(const json& value, const char* between = "-") {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "none";
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const json& item : value) text += (text.empty() ? "" : between) + value_text(item);
  return text.empty() ? "none" : text;
}

// "step,every:5": the fields that differ from their defaults.
std::string object_text(const Shape& shape, const json& object) {
  std::string text = object.value("kind", "");
  for (const Field& field : mapping_for(shape, object)->fields) {
    const json& value = object.at(field.name);
    if (value == field.fallback) continue;
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", field.name, value_text(value));
  }
  return text.empty() ? "default" : text;
}

std::string describe(const TrialParameter& parameter, const Trial& trial) {
  json value = parameter.get(trial);
  if (parameter.name == "weights" && value.is_string()) {
    value = std::filesystem::path(value.get<std::string>()).filename().string();
  }
  const char* between = parameter.name == "image_size" ? "x" : "-";
  const std::string text =
      value.is_object() ? object_text(parameter.shape, value) : value_text(value, between);
  return parameter.label.empty() ? text : parameter.label + "=" + text;
}

// "lr=0.1 depth=3": what the trial has of them.
std::string describe_own(const Trial& trial, const std::vector<std::string>& swept) {
  const json values = to_canonical_json(trial);
  std::string text;
  for (const std::string& name : swept) {
    const auto value = values.find(name);
    if (value == values.end()) continue;
    const std::string shown =
        value->is_object() ? to_yaml({Anything{}}, *value) : value_text(*value);
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, shown);
  }
  return text.empty() ? "default" : text;
}

}  // namespace

Plan make_plan(const SweepFile& file, const std::string& data_fingerprint) {
  Plan plan{file.sweep.name, data_fingerprint, file.sweep.swept, {}};
  plan.trials.reserve(file.trials.size());
  Identifier identifier(data_fingerprint);
  for (const Trial& trial : file.trials) {
    plan.trials.push_back({identifier.identify(trial), trial});
  }
  return plan;
}

std::string describe(const Trial& trial, const std::vector<std::string>& swept) {
  if (!trial.own.is_null()) return describe_own(trial, swept);
  std::string text;
  for (const TrialParameter& parameter : trial_parameters()) {
    if (std::find(swept.begin(), swept.end(), parameter.name) == swept.end()) continue;
    text += (text.empty() ? "" : " ") + describe(parameter, trial);
  }
  return text.empty() ? trial.architecture : text;
}

}  // namespace ranksweep::sweeps
