#include "sweeps/parameter_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "sweeps/blocks.h"
#include "sweeps/nearest_name.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 100;

bool is_name(const std::string& text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto may_follow = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kLongestName && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), may_follow);
}

// As text, since 1 and 1.0 are two values for a program, and one for nlohmann::json.
std::string value_of(const Trial& trial, const std::string& name) {
  const auto value = trial.own.find(name);
  return value == trial.own.end() ? std::string() : value->dump();
}

std::unique_ptr<TrialParameter> own_parameter(const std::string& name) {
  return std::make_unique<TrialParameter>(TrialParameter{
      .name = name,
      .block_name = name,
      .label = name,
      .doc = "",
      .shape = {Anything{}},
      .get = [name](const Trial& trial) { return trial.own.value(name, json()); },
      .set = [name](Trial& trial, const json& value) { trial.own[name] = value; },
      .copy =
          [name](Trial& to, const Trial& from) {
            if (from.own.contains(name)) to.own[name] = from.own.at(name);
          },
      .equal = [name](const Trial& a,
                      const Trial& b) { return value_of(a, name) == value_of(b, name); }});
}

}  // namespace

const std::vector<const TrialParameter*>& heeded_parameters() {
  static const std::vector<const TrialParameter*> parameters = {
      find_trial_parameter("epochs"), find_trial_parameter("early_stopping"),
      find_trial_parameter("devices")};
  return parameters;
}

const TrialParameter* BuiltInParameters::find(const std::string& name) {
  return find_trial_parameter(name);
}

std::string BuiltInParameters::advice(const std::string& name) const {
  const std::string block = block_of(name);
  return block.empty() ? suggestion(name, trial_parameter_names())
                       : fmt::format("; it belongs in `{}:` at the top level", block);
}

std::vector<const TrialParameter*> BuiltInParameters::all() const {
  std::vector<const TrialParameter*> parameters;
  for (const TrialParameter& parameter : trial_parameters()) parameters.push_back(&parameter);
  return parameters;
}

const TrialParameter* OwnParameters::find(const std::string& name) {
  const auto has_name = [&](const auto& parameter) { return parameter->name == name; };
  const auto& heeded = heeded_parameters();
  if (const auto found = std::ranges::find_if(heeded, has_name); found != heeded.end()) {
    return *found;
  }
  if (const auto found = std::ranges::find_if(named_, has_name); found != named_.end()) {
    return found->get();
  }
  if (!is_name(name)) return nullptr;
  return named_.emplace_back(own_parameter(name)).get();
}

std::string OwnParameters::advice(const std::string&) const {
  return fmt::format(
      "; a name has at most {} letters, digits, `_`, `-` and `.`, and begins with a letter or `_`",
      kLongestName);
}

std::vector<const TrialParameter*> OwnParameters::all() const {
  std::vector<const TrialParameter*> parameters;
  for (const auto& parameter : named_) parameters.push_back(parameter.get());
  parameters.insert(parameters.end(), heeded_parameters().begin(), heeded_parameters().end());
  return parameters;
}

}  // namespace ranksweep::sweeps
