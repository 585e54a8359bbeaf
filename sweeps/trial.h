#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "sweeps/trial_spec.h"

namespace ranksweep::sweeps {

// One point of a sweep, whoever trains it. The built-in trainer knows every parameter of TrialSpec.
// An external trainer has parameters of its own, of any name and value; of TrialSpec's it has those
// that the coordinator heeds, `epochs`, `early_stopping` and `devices`, and the others mean
// nothing.
struct Trial : TrialSpec {
  Trial() = default;
  Trial(TrialSpec spec) : TrialSpec(std::move(spec)) {}  // implicit: one of the built-in trainer

  nlohmann::json own;  // an object, by name, for an external trainer; null for the built-in one

  bool operator==(const Trial&) const = default;
};

// The canonical form: every parameter by its name in the sweep file. Of the built-in trainer's with
// defaults included; of an external one's own parameters those that the file gives the trial.
nlohmann::json to_canonical_json(const Trial&);

// The identity of `trial` on what its results depend on besides, of which `fingerprint` is a hash.
TrialId identify(const Trial& trial, const std::string& fingerprint);

}  // namespace ranksweep::sweeps
