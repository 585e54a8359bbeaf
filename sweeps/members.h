#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/shape.h"
#include "sweeps/trial_values.h"

namespace ranksweep::sweeps {

// One member of a struct as the sweep file has it: its name, what it means, what it may be, and the
// way between the struct and JSON. `set` may rely on the value's shape having been checked.
template <typename Struct>
struct Member {
  using Owner = Struct;

  std::string name;
  std::string doc;
  Shape shape;
  std::function<nlohmann::json(const Struct&)> get;
  std::function<void(Struct&, const nlohmann::json&)> set;
};

template <typename Struct, typename Value>
Member<Struct> member(const char* name, Value Struct::*pointer, Shape shape, const char* doc) {
  return {
      name, doc, std::move(shape),
      [pointer](const Struct& object) { return encode(object.*pointer); },
      [pointer](Struct& object, const nlohmann::json& value) { decode(value, object.*pointer); }};
}

template <typename Struct>
Mapping mapping_of(const std::vector<Member<Struct>>& members) {
  Mapping mapping;
  const Struct defaults;
  for (const auto& member : members) {
    mapping.fields.push_back({member.name, member.doc, member.shape, member.get(defaults)});
  }
  return mapping;
}

template <typename Struct>
nlohmann::json encode_members(const std::vector<Member<Struct>>& members, const Struct& value) {
  auto object = nlohmann::json::object();
  for (const auto& member : members) object[member.name] = member.get(value);
  return object;
}

template <typename Struct>
Struct decode_members(const std::vector<Member<Struct>>& members, const nlohmann::json& object) {
  Struct value;
  for (const auto& member : members) {
    if (object.contains(member.name)) member.set(value, object.at(member.name));
  }
  return value;
}

}  // namespace ranksweep::sweeps
