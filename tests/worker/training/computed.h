#pragma once

#include <utility>
#include <vector>

#include "sweeps/trial_history.h"

namespace ranksweep::sweeps {

// What a run computed, without what was measured of it: two runs that must be equal differ in that.
inline std::vector<EpochMetrics> computed(std::vector<EpochMetrics> epochs) {
  for (EpochMetrics& each : epochs) {
    each.seconds = each.data_wait_s = each.validation_s = 0;
    each.peak_memory_bytes = 0;
  }
  return epochs;
}

}  // namespace ranksweep::sweeps
