#pragma once

#include <string>
#include <vector>

#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {

// Identities of many trials with the same fingerprint. Neighbours in a grid share most of their
// values, and only what differs from the trial before is written anew, so that a hundred thousand
// take a fraction of a second.
class Identifier {
 public:
  explicit Identifier(std::string fingerprint);

  // The hash of the canonical JSON, a line feed, the fingerprint. Of the built-in trainer's without
  // the path of the weights and without parameters at their defaults that are not identified by
  // them.
  TrialId identify(const Trial& trial);

 private:
  struct Part {
    const TrialParameter* parameter;
    std::string text;  // "\"seed\":0," of the last trial
  };

  std::string fingerprint_;
  std::vector<Part> parts_;  // by name
  Trial last_;
};

}  // namespace ranksweep::sweeps
