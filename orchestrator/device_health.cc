#include "orchestrator/device_health.h"

#include <algorithm>
#include <set>

namespace ranksweep::orchestrator {

bool DeviceHealth::avoids(std::size_t trial) const {
  return broken_.size() >= 2 && std::ranges::any_of(broken_, [&](const BrokenAttempt& each) {
           return each.trial == trial;
         });
}

std::size_t DeviceHealth::different_trials() const {
  std::set<std::size_t> trials;
  for (const BrokenAttempt& each : broken_) {
    trials.insert(each.trial);
  }
  return trials.size();
}

}  // namespace ranksweep::orchestrator
