#pragma once

#include <cstddef>
#include <vector>

#include "sweeps/trial_history.h"

namespace ranksweep::orchestrator {

// Whether the device of a rank can be trusted. An attempt that breaks may be its trial's fault or
// its device's; what tells them apart is whether different trials break there one after the other,
// without a single epoch in between. Pure.
//
//   broken in a row         the device gets next
//   one attempt             any trial, the same again too: chance is the likeliest cause
//   two or more             another trial than those, which other devices may take
//   two different trials    the smallest trial: it would even fit where large ones do not
//   three different trials  nothing more: it is quarantined
class DeviceHealth {
 public:
  struct BrokenAttempt {
    std::size_t trial = 0;
    sweeps::AttemptId attempt = 0;
  };

  // An epoch was trained there.
  void did_well() { broken_.clear(); }
  void broke(std::size_t trial, sweeps::AttemptId attempt) { broken_.push_back({trial, attempt}); }

  bool avoids(std::size_t trial) const;
  bool wants_smallest() const { return different_trials() == 2; }
  bool quarantined() const { return different_trials() >= 3; }
  // The attempts that broke in a row, the oldest first.
  const std::vector<BrokenAttempt>& broken() const { return broken_; }

 private:
  std::size_t different_trials() const;

  std::vector<BrokenAttempt> broken_;
};

}  // namespace ranksweep::orchestrator
