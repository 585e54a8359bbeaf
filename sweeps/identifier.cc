#include "sweeps/identifier.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ranksweep::sweeps {

Identifier::Identifier(std::string data_fingerprint)
    : data_fingerprint_(std::move(data_fingerprint)) {
  for (const TrialParameter& parameter : trial_parameters()) {
    if (parameter.name != "weights") parts_.push_back({&parameter, ""});
  }
  std::sort(parts_.begin(), parts_.end(),
            [](const Part& a, const Part& b) { return a.parameter->name < b.parameter->name; });
}

TrialId Identifier::identify(const TrialSpec& spec) {
  std::string text = "{";
  for (Part& part : parts_) {
    if (part.text.empty() || !part.parameter->equal(spec, last_)) {
      const bool left_out =
          !part.parameter->identified_at_default && part.parameter->equal(spec, TrialSpec{});
      part.text = left_out ? ""
                           : fmt::format("\"{}\":{},", part.parameter->name,
                                         part.parameter->get(spec).dump());
      part.parameter->copy(last_, spec);
    }
    text += part.text;
  }
  const nlohmann::json hash = spec.weights_hash ? nlohmann::json(*spec.weights_hash) : nullptr;
  text += fmt::format("\"weights_hash\":{}}}\n{}", hash.dump(), data_fingerprint_);
  return TrialId(hash_hex(text));
}

TrialId identify(const TrialSpec& spec, const std::string& data_fingerprint) {
  return Identifier(data_fingerprint).identify(spec);
}

}  // namespace ranksweep::sweeps
