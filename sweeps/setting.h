#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/document.h"
#include "sweeps/parameter_table.h"

namespace ranksweep::sweeps {

// A value that a sweep file gives to a parameter, checked, and where it stands.
struct Setting {
  const TrialParameter* parameter = nullptr;
  Trial holder;  // has the value; its other members mean nothing
  int line = 0;
  int column = 0;

  void apply_to(Trial& trial) const { parameter->copy(trial, holder); }
  bool matches(const Trial& trial) const { return parameter->equal(trial, holder); }
};

// Null when there is none for `parameter`.
const Setting* find_setting(const std::vector<Setting>& settings, const TrialParameter& parameter);

// Makes settings of nodes, and diagnostics of mistakes.
class SettingReader {
 public:
  // Relative paths start from `folder`.
  SettingReader(std::filesystem::path folder, ParameterTable& parameters,
                std::vector<Diagnostic>& found)
      : folder_(std::move(folder)), parameters_(parameters), found_(found) {}

  // `name` is what the value is called in messages.
  std::optional<Setting> read(const TrialParameter& parameter, const Node& value,
                              const std::string& name);
  // A mapping from parameters to values; `where` is what the mapping is called.
  std::vector<Setting> read_all(const Node& mapping, const std::string& where);

  // Adds the diagnostic for a key that is no parameter of a trial.
  void refuse_key(const Node& key, const std::string& where);

  // The parameters that had a value which could not be read.
  const std::set<const TrialParameter*>& unread() const { return unread_; }
  bool has_refused_keys() const { return has_refused_keys_; }

 private:
  std::optional<Setting> read_value(const TrialParameter& parameter, const Node& value,
                                    const std::string& name);
  bool find_weights(Setting& setting);

  std::filesystem::path folder_;
  ParameterTable& parameters_;
  std::vector<Diagnostic>& found_;
  std::map<std::filesystem::path, std::string> hashes_;  // a file is read once
  std::set<const TrialParameter*> unread_;
  bool has_refused_keys_ = false;
};

}  // namespace ranksweep::sweeps
