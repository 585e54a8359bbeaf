#include "sweeps/sweep_schema.h"

#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "sweeps/blocks.h"
#include "sweeps/grid.h"
#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::ordered_json;

ordered_json reference(const TrialParameter& parameter) {
  return {{"$ref", "#/$defs/" + parameter.name}};
}

ordered_json definitions() {
  auto all = ordered_json::object();
  const TrialSpec defaults;
  for (const TrialParameter& parameter : trial_parameters()) {
    ordered_json schema = {{"description", parameter.doc}};
    schema.update(to_schema(parameter.shape));
    if (const nlohmann::json value = parameter.get(defaults); !must_be_given(value))
      schema["default"] = value;
    all[parameter.name] = std::move(schema);
  }
  return all;
}

ordered_json closed_object(ordered_json properties) {
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

// One value, or one for each architecture where that is allowed.
ordered_json default_schema(const TrialParameter& parameter) {
  if (!may_differ_by_architecture(parameter)) return reference(parameter);
  auto values = ordered_json::object();
  for (const std::string& name : architecture_names()) values[name] = reference(parameter);
  return {{"anyOf", {reference(parameter), closed_object(std::move(values))}}};
}

// In the grid a list is always a list of values, also for a parameter whose value may be a list.
ordered_json grid_schema() {
  auto properties = ordered_json::object();
  for (const TrialParameter& parameter : trial_parameters()) {
    const ordered_json one = {{"allOf", {reference(parameter), {{"not", {{"type", "array"}}}}}}};
    const ordered_json many = {{"type", "array"}, {"items", reference(parameter)}, {"minItems", 1}};
    properties[parameter.name] = {{"anyOf", {many, one}}};
  }
  return closed_object(std::move(properties));
}

ordered_json training_schema() {
  auto properties = ordered_json::object();
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.block == Block::training) {
      properties[parameter.name] = default_schema(parameter);
    }
  }
  return closed_object(std::move(properties));
}

ordered_json data_schema() {
  ordered_json schema = to_schema({mapping_of(data_members())});
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.block == Block::data) {
      schema["properties"][parameter.block_name] = reference(parameter);
    }
  }
  return schema;
}

ordered_json selections_schema() {
  auto properties = ordered_json::object();
  for (const TrialParameter& parameter : trial_parameters()) {
    properties[parameter.name] = reference(parameter);
  }
  ordered_json entry = closed_object(std::move(properties));
  entry["minProperties"] = 1;
  return {{"type", "array"}, {"items", std::move(entry)}};
}

}  // namespace

ordered_json sweep_schema() {
  ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "A sweep of ranksweep"}};
  ordered_json properties = {{"name", to_schema(name_shape())},
                             {"data", data_schema()},
                             {"weights", default_schema(*find_trial_parameter("weights"))},
                             {"grid", grid_schema()},
                             {"exclude", selections_schema()},
                             {"include", selections_schema()},
                             {"training", training_schema()},
                             {"execution", to_schema({mapping_of(execution_members())})}};
  schema.update(closed_object(std::move(properties)));
  schema["required"] = {"name", "data"};
  schema["$defs"] = definitions();
  return schema;
}

}  // namespace ranksweep::sweeps
