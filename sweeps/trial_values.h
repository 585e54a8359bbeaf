#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/shape.h"
#include "sweeps/sweep_spec.h"
#include "sweeps/trial_spec.h"

// What a parameter of a trial may be, and the way between its C++ type and JSON: encode() gives the
// canonical form, decode() takes every form that shape_of() allows.
namespace ranksweep::sweeps {

// The names of an enumeration's values in the sweep file, in the order of its enumerators.
template <typename Enumeration>
const std::vector<std::string>& names_of();
template <>
const std::vector<std::string>& names_of<TrainingMode>();
template <>
const std::vector<std::string>& names_of<Optimizer>();
template <>
const std::vector<std::string>& names_of<Pooling>();
template <>
const std::vector<std::string>& names_of<Normalization>();
template <>
const std::vector<std::string>& names_of<Precision>();
template <>
const std::vector<std::string>& names_of<MemoryFormat>();
template <>
const std::vector<std::string>& names_of<FillMode>();
template <>
const std::vector<std::string>& names_of<DataSpec::OnBadFile>();
template <>
const std::vector<std::string>& names_of<Execution::OnOutOfMemory>();

nlohmann::json encode(double);  // -0 becomes 0, so that equal values have one form
inline nlohmann::json encode(bool value) { return value; }
inline nlohmann::json encode(int value) { return value; }
inline nlohmann::json encode(std::int64_t value) { return value; }
inline nlohmann::json encode(const std::string& value) { return value; }
inline nlohmann::json encode(const std::vector<int>& value) { return value; }
inline nlohmann::json encode(const std::array<int, 2>& value) { return value; }
nlohmann::json encode(const std::array<double, 2>&);
nlohmann::json encode(const Augmentation&);          // a preset's name, or else
nlohmann::json encode_changes(const Augmentation&);  // always an object
nlohmann::json encode(const Schedule&);
nlohmann::json encode(const Head&);
nlohmann::json encode(const std::optional<EarlyStopping>&);

inline void decode(const nlohmann::json& json, double& value) { value = json.get<double>(); }
inline void decode(const nlohmann::json& json, bool& value) { value = json.get<bool>(); }
inline void decode(const nlohmann::json& json, int& value) { value = json.get<int>(); }
inline void decode(const nlohmann::json& json, std::int64_t& v) { v = json.get<std::int64_t>(); }
inline void decode(const nlohmann::json& json, std::string& v) { v = json.get<std::string>(); }
inline void decode(const nlohmann::json& json, std::vector<int>& value) {
  value = json.get<std::vector<int>>();
}
void decode(const nlohmann::json&, std::array<int, 2>& size);      // one number: a square
void decode(const nlohmann::json&, std::array<double, 2>& range);  // one number x: 1 - x to 1 + x
void decode(const nlohmann::json&, Augmentation&);
void decode(const nlohmann::json&, Schedule&);
void decode(const nlohmann::json&, Head&);
void decode(const nlohmann::json&, std::optional<EarlyStopping>&);

template <typename Enumeration>
requires std::is_enum_v<Enumeration> nlohmann::json encode(Enumeration value) {
  return names_of<Enumeration>().at(static_cast<std::size_t>(value));
}

template <typename Enumeration>
requires std::is_enum_v<Enumeration>
void decode(const nlohmann::json& json, Enumeration& value) {
  const auto& names = names_of<Enumeration>();
  const auto found = std::find(names.begin(), names.end(), json.get<std::string>());
  value = static_cast<Enumeration>(found - names.begin());
}

Shape augmentation_shape();
Shape schedule_shape();
Shape head_shape();
Shape early_stopping_shape();
Shape image_size_shape();

const std::vector<std::string>& augmentation_preset_names();

}  // namespace ranksweep::sweeps
