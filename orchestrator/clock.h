#pragma once

#include <chrono>

namespace ranksweep::orchestrator {

// Durations and deadlines come from the monotonic clock: a wall clock may jump.
using Clock = std::chrono::steady_clock;

}  // namespace ranksweep::orchestrator
