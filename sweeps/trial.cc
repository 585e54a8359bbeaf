#include "sweeps/trial.h"

#include "sweeps/identifier.h"
#include "sweeps/parameter_table.h"

namespace ranksweep::sweeps {

using nlohmann::json;

json to_canonical_json(const Trial& trial) {
  if (!trial.own.is_null()) {
    json object = trial.own;
    for (const TrialParameter* heeded : heeded_parameters()) {
      object[heeded->name] = heeded->get(trial);
    }
    return object;
  }
  auto object = json::object();
  for (const TrialParameter& parameter : trial_parameters()) {
    object[parameter.name] = parameter.get(trial);
  }
  object["weights_hash"] = trial.weights_hash ? json(*trial.weights_hash) : json();
  return object;
}

TrialId identify(const Trial& trial, const std::string& fingerprint) {
  return Identifier(fingerprint).identify(trial);
}

}  // namespace ranksweep::sweeps
