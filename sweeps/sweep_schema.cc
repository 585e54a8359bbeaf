#include "sweeps/sweep_schema.h"

#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "sweeps/blocks.h"
#include "sweeps/external_trainer.h"
#include "sweeps/grid.h"
#include "sweeps/parameter_table.h"
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

// Where the images are and how they are split, which is all of it that an external trainer has.
ordered_json images_schema() { return to_schema({mapping_of(data_members())}); }

ordered_json data_schema() {
  ordered_json schema = images_schema();
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

ordered_json trainer_schema() { return to_schema({mapping_of(external_trainer_members())}); }

// What a file without `trainer` has besides.
ordered_json built_in_schema() {
  return {{"properties",
           {{"data", data_schema()},
            {"weights", default_schema(*find_trial_parameter("weights"))},
            {"grid", grid_schema()},
            {"exclude", selections_schema()},
            {"include", selections_schema()},
            {"training", training_schema()}}},
          {"required", {"data"}}};
}

// A mapping from the parameters of an external trainer to values. `grid`: or to lists of values.
ordered_json own_schema(bool grid) {
  auto properties = ordered_json::object();
  for (const TrialParameter* parameter : heeded_parameters()) {
    const ordered_json one = reference(*parameter);
    const ordered_json many = {{"type", "array"}, {"items", one}, {"minItems", 1}};
    properties[parameter->name] = grid ? ordered_json{{"anyOf", {many, one}}} : one;
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"propertyNames", {{"pattern", "^[A-Za-z_][A-Za-z0-9_.-]{0,99}$"}}}};
}

// What a file with `trainer` has besides.
ordered_json external_schema() {
  ordered_json entry = own_schema(false);
  entry["minProperties"] = 1;
  const ordered_json selections = {{"type", "array"}, {"items", std::move(entry)}};
  return {{"properties",
           {{"data", images_schema()},
            {"weights", false},
            {"grid", own_schema(true)},
            {"exclude", selections},
            {"include", selections},
            {"training", own_schema(false)}}}};
}

}  // namespace

ordered_json sweep_schema() {
  ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "A sweep of ranksweep"}};
  auto properties = ordered_json::object();
  for (const std::string& name : top_level_names()) properties[name] = true;
  properties["name"] = to_schema(name_shape());
  properties["trainer"] = trainer_schema();
  properties["execution"] = to_schema({mapping_of(execution_members())});
  schema.update(closed_object(std::move(properties)));
  schema["required"] = {"name"};
  schema["if"] = {{"required", {"trainer"}}};
  schema["then"] = external_schema();
  schema["else"] = built_in_schema();
  schema["$defs"] = definitions();
  return schema;
}

}  // namespace ranksweep::sweeps
