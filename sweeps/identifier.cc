#include "sweeps/identifier.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ranksweep::sweeps {

Identifier::Identifier(std::string fingerprint) : fingerprint_(std::move(fingerprint)) {
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.name != "weights") parts_.push_back({&parameter, ""});
  }
  std::sort(parts_.begin(), parts_.end(),
            [](const Part& a, const Part& b) { return a.parameter->name < b.parameter->name; });
}

TrialId Identifier::identify(const Trial& trial) {
  if (!trial.own.is_null()) {
    return TrialId(hash_hex(fmt::format("{}\n{}", to_canonical_json(trial).dump(), fingerprint_)));
  }
  std::string text = "{";
  for (Part& part : parts_) {
    if (part.text.empty() || !part.parameter->equal(trial, last_)) {
      const bool left_out =
          !part.parameter->identified_at_default && part.parameter->equal(trial, Trial{});
      part.text = left_out ? ""
                           : fmt::format("\"{}\":{},", part.parameter->name,
                                         part.parameter->get(trial).dump());
      part.parameter->copy(last_, trial);
    }
    text += part.text;
  }
  const nlohmann::json hash = trial.weights_hash ? nlohmann::json(*trial.weights_hash) : nullptr;
  text += fmt::format("\"weights_hash\":{}}}\n{}", hash.dump(), fingerprint_);
  return TrialId(hash_hex(text));
}

TrialId identify(const TrialSpec& spec, const std::string& data_fingerprint) {
  return Identifier(data_fingerprint).identify(spec);
}

}  // namespace ranksweep::sweeps
