#include "sweeps/setting.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

namespace ranksweep::sweeps {

const Setting* find_setting(const std::vector<Setting>& settings, const TrialParameter& parameter) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& s) { return s.parameter == &parameter; });
  return found == settings.end() ? nullptr : &*found;
}

std::optional<Setting> SettingReader::read(const TrialParameter& parameter, const Node& value,
                                           const std::string& name) {
  std::optional<Setting> setting = read_value(parameter, value, name);
  if (!setting) unread_.insert(&parameter);
  return setting;
}

std::optional<Setting> SettingReader::read_value(const TrialParameter& parameter, const Node& value,
                                                 const std::string& name) {
  if (!check(parameter.shape, value, name, found_)) return std::nullopt;
  Setting setting{&parameter, {}, value.line, value.column};
  parameter.set(setting.holder, node_to_json(value));
  if (!find_weights(setting)) return std::nullopt;
  return setting;
}

std::vector<Setting> SettingReader::read_all(const Node& mapping, const std::string& where) {
  std::vector<Setting> settings;
  for (const Entry& entry : mapping.entries) {
    const TrialParameter* parameter = parameters_.find(entry.key.text);
    if (parameter == nullptr) {
      refuse_key(entry.key, where);
    } else if (auto setting = read(*parameter, entry.value, parameter->name)) {
      settings.push_back(std::move(*setting));
    }
  }
  return settings;
}

bool SettingReader::find_weights(Setting& setting) {
  auto& path = setting.holder.weights;
  if (!path) return true;
  const std::filesystem::path file = (folder_ / *path).lexically_normal();
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    found_.push_back(
        {setting.line, setting.column,
         fmt::format("{}: there is no file {}", setting.parameter->name, file.string())});
    return false;
  }
  try {
    std::string& hash = hashes_[file];
    if (hash.empty()) hash = hash_hex_of_file(file);
    path = file.string();
    setting.holder.weights_hash = hash;
    return true;
  } catch (const std::system_error& failure) {
    found_.push_back(
        {setting.line, setting.column,
         fmt::format("{} cannot be read: {}", setting.parameter->name, failure.what())});
    return false;
  }
}

void SettingReader::refuse_key(const Node& key, const std::string& where) {
  found_.push_back({key.line, key.column,
                    fmt::format("{}: `{}` is no parameter of a trial{}", where, key.text,
                                parameters_.advice(key.text))});
  has_refused_keys_ = true;
}

}  // namespace ranksweep::sweeps
