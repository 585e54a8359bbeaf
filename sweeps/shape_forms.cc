#include <cmath>

#include <fmt/format.h>

#include "sweeps/overloaded.h"
#include "sweeps/shape.h"

// Other forms of a shape and of values that have it: JSON Schema and YAML.
namespace ranksweep::sweeps {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json real_schema(const Real& real) {
  ordered_json schema = {{"type", "number"}};
  if (std::isfinite(real.minimum)) {
    schema[real.lower == Bound::open ? "exclusiveMinimum" : "minimum"] = real.minimum;
  }
  if (std::isfinite(real.maximum)) {
    schema[real.upper == Bound::open ? "exclusiveMaximum" : "maximum"] = real.maximum;
  }
  return schema;
}

ordered_json whole_schema(const Whole& whole) {
  ordered_json schema = {{"type", "integer"}, {"minimum", whole.minimum}};
  schema["maximum"] = whole.maximum;
  return schema;
}

ordered_json array_schema(ordered_json items, std::size_t shortest, std::size_t longest) {
  return {{"type", "array"},
          {"items", std::move(items)},
          {"minItems", shortest},
          {"maxItems", longest}};
}

ordered_json mapping_schema(const Mapping& mapping) {
  auto properties = ordered_json::object();
  auto required = ordered_json::array();
  for (const Field& field : mapping.fields) {
    ordered_json schema = {{"description", field.doc}};
    schema.update(to_schema(field.shape));
    if (must_be_given(field.fallback)) {
      required.push_back(field.name);
    } else {
      schema["default"] = field.fallback;
    }
    properties[field.name] = std::move(schema);
  }
  ordered_json schema = {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

ordered_json tagged_schema(const Tagged& tagged) {
  auto kinds = ordered_json::array();
  for (const auto& [kind, mapping] : tagged.kinds) {
    ordered_json schema = mapping_schema(mapping);
    schema["properties"]["kind"] = {{"const", kind}};
    schema["required"] = {"kind"};
    kinds.push_back(std::move(schema));
  }
  return {{"oneOf", std::move(kinds)}};
}

ordered_json any_schema(const AnyOf& any) {
  auto schemas = ordered_json::array();
  for (const Shape& shape : any.shapes) schemas.push_back(to_schema(shape));
  return {{"anyOf", std::move(schemas)}};
}

// The word that stands for null.
std::string null_word(const Shape& shape) {
  if (const auto* nothing = std::get_if<Nothing>(&shape.value)) return nothing->word;
  if (const auto* any = std::get_if<AnyOf>(&shape.value)) {
    for (const Shape& one : any->shapes) {
      if (std::string word = null_word(one); !word.empty()) return word;
    }
  }
  return "";
}

std::string plain_yaml(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string text;
  if (value.is_array()) {
    for (const json& item : value) text += (text.empty() ? "" : ", ") + plain_yaml(item);
    return "[" + text + "]";
  }
  if (!value.is_object())
    return value.is_number() ? fmt::format("{}", value.get<double>()) : value.dump();
  if (value.contains("kind")) text = "kind: " + plain_yaml(value.at("kind"));
  for (const auto& [key, item] : value.items()) {
    if (key != "kind")
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, plain_yaml(item));
  }
  return "{" + text + "}";
}

}  // namespace

ordered_json to_schema(const Shape& shape) {
  return std::visit(
      Overloaded{
          [](const Anything&) { return ordered_json::object(); },
          [](const Flag&) -> ordered_json {
            return {{"type", "boolean"}};
          },
          [](const Off&) -> ordered_json {
            return {{"const", false}};
          },
          [](const Nothing& nothing) -> ordered_json {
            return {{"enum", ordered_json::array({nullptr, nothing.word})}};
          },
          [](const Whole& whole) { return whole_schema(whole); },
          [](const Real& real) { return real_schema(real); },
          [](const Interval& interval) { return array_schema(real_schema(interval.bounds), 2, 2); },
          [](const Choice& choice) -> ordered_json {
            return {{"enum", choice.names}};
          },
          [](const Text& text) -> ordered_json {
            return {{"type", "string"}, {"minLength", 1}, {"maxLength", text.longest}};
          },
          [](const List& list) {
            return array_schema(to_schema(list.item[0]), list.shortest, list.longest);
          },
          [](const Mapping& mapping) { return mapping_schema(mapping); },
          [](const Tagged& tagged) { return tagged_schema(tagged); },
          [](const AnyOf& any) { return any_schema(any); },
      },
      shape.value);
}

std::string to_yaml(const Shape& shape, const json& value) {
  return value.is_null() ? null_word(shape) : plain_yaml(value);
}

const Mapping* mapping_for(const Shape& shape, const nlohmann::json& object) {
  if (const auto* mapping = std::get_if<Mapping>(&shape.value)) return mapping;
  if (const auto* tagged = std::get_if<Tagged>(&shape.value)) {
    for (const auto& [kind, mapping] : tagged->kinds) {
      if (object.at("kind") == kind) return &mapping;
    }
  }
  if (const auto* any = std::get_if<AnyOf>(&shape.value)) {
    for (const Shape& one : any->shapes) {
      if (const Mapping* mapping = mapping_for(one, object)) return mapping;
    }
  }
  return nullptr;
}

}  // namespace ranksweep::sweeps
