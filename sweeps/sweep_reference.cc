#include "sweeps/sweep_reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/architectures.h"
#include "sweeps/blocks.h"
#include "sweeps/external_trainer.h"
#include "sweeps/trial_parameters.h"
#include "sweeps/trial_values.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;

constexpr const char* kHead = "| key | allowed | default | meaning |\n|---|---|---|---|\n";

std::string row(const std::string& name, const std::string& doc, const Shape& shape,
                const json& fallback) {
  const std::string value =
      must_be_given(fallback) ? "must be given" : fmt::format("`{}`", to_yaml(shape, fallback));
  return fmt::format("| `{}` | {} | {} | {} |\n", name, describe(shape), value, doc);
}

std::string rows(const Mapping& mapping) {
  std::string text;
  for (const Field& field : mapping.fields) {
    text += row(field.name, field.doc, field.shape, field.fallback);
  }
  return text;
}

std::string rows(Block block) {
  std::string text;
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.block != block) continue;
    text += row(parameter.block_name, parameter.doc, parameter.shape, parameter.get(TrialSpec{}));
  }
  return text;
}

std::string table(const std::string& title, const std::string& body) {
  return fmt::format("### {}\n\n{}{}\n", title, kHead, body);
}

// Tables for the mappings that a parameter's value may be.
std::string nested_tables(const std::string& name, const Shape& shape) {
  if (const auto* mapping = std::get_if<Mapping>(&shape.value)) {
    return table(fmt::format("`{}`", name), rows(*mapping));
  }
  std::string text;
  if (const auto* tagged = std::get_if<Tagged>(&shape.value)) {
    for (const auto& [kind, mapping] : tagged->kinds) {
      if (!mapping.fields.empty()) {
        text += table(fmt::format("`{}` of kind `{}`", name, kind), rows(mapping));
      }
    }
  }
  if (const auto* any = std::get_if<AnyOf>(&shape.value)) {
    for (const Shape& one : any->shapes) text += nested_tables(name, one);
  }
  return text;
}

std::string preset_table() {
  const Shape shape = augmentation_shape();
  std::string text = "### Presets of `augmentation`\n\n| preset | the same as |\n|---|---|\n";
  for (const std::string& name : augmentation_preset_names()) {
    auto changes = json::object();
    const json all = encode_changes(*find_augmentation_preset(name));
    for (const Field& field : mapping_for(shape, all)->fields) {
      if (all.at(field.name) != field.fallback) changes[field.name] = all.at(field.name);
    }
    text += fmt::format("| `{}` | `{}` |\n", name, to_yaml(shape, changes));
  }
  return text + "\n";
}

std::string architecture_table() {
  std::string text =
      "### Architectures\n\n| architecture | smallest image | blocks, for `frozen_until` "
      "|\n|---|---|---|\n";
  for (const Architecture& each : architectures()) {
    text += fmt::format("| `{0}` | {1} x {1} | {2} |\n", each.name, each.smallest_size,
                        fmt::join(each.blocks, ", "));
  }
  return text + "\n";
}

}  // namespace

std::string sweep_reference() {
  std::string text = table("`data`", rows(mapping_of(data_members())) + rows(Block::data));
  text += table("`training`", rows(Block::training));
  for (const TrialParameter& parameter : trial_parameters()) {
    text += nested_tables(parameter.name, parameter.shape);
  }
  text += preset_table() + architecture_table();
  text += table("`trainer`", rows(mapping_of(external_trainer_members())));
  return text + table("`execution`", rows(mapping_of(execution_members())));
}

}  // namespace ranksweep::sweeps
