#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {

// The parameters with which the coordinator decides, whoever trains: `epochs`, `early_stopping`,
// `devices`.
const std::vector<const TrialParameter*>& heeded_parameters();

// Which parameters the trials of a sweep may have.
class ParameterTable {
 public:
  ParameterTable() = default;
  ParameterTable(const ParameterTable&) = delete;
  ParameterTable& operator=(const ParameterTable&) = delete;
  virtual ~ParameterTable() = default;

  // Null when there is no such parameter.
  virtual const TrialParameter* find(const std::string& name) = 0;
  // What to do about a name that is none, to go on with after "`NAME` is no parameter of a trial".
  virtual std::string advice(const std::string& name) const = 0;
  virtual std::vector<const TrialParameter*> all() const = 0;
};

// Those of the built-in trainer, in the order of the documentation.
class BuiltInParameters : public ParameterTable {
 public:
  const TrialParameter* find(const std::string& name) override;
  std::string advice(const std::string& name) const override;
  std::vector<const TrialParameter*> all() const override;
};

// Those of an external trainer: the heeded ones, and any others, each of which is there from the
// first time that a sweep file names it. Names begin with a letter or `_` and go on with letters,
// digits, `_`, `-` and `.`, so that they can be a program's options and variables.
class OwnParameters : public ParameterTable {
 public:
  const TrialParameter* find(const std::string& name) override;
  std::string advice(const std::string& name) const override;
  std::vector<const TrialParameter*> all() const override;  // as they were named, the heeded last

 private:
  std::vector<std::unique_ptr<TrialParameter>> named_;
};

}  // namespace ranksweep::sweeps
