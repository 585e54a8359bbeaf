#pragma once

#include <string>
#include <vector>

#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {

// Identities of many trials on the same data. Neighbours in a grid share most of their values, and
// only what differs from the trial before is written anew, so that a hundred thousand take a
// fraction of a second.
class Identifier {
 public:
  explicit Identifier(std::string data_fingerprint);

  // The hash of the canonical JSON without the path of the weights and without parameters at their
  // defaults that are not identified by them, a line feed, the fingerprint.
  TrialId identify(const TrialSpec& spec);

 private:
  struct Part {
    const TrialParameter* parameter;
    std::string text;  // "\"seed\":0," of the last trial
  };

  std::string data_fingerprint_;
  std::vector<Part> parts_;  // by name
  TrialSpec last_;
};

}  // namespace ranksweep::sweeps
