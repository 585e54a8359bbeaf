#pragma once

#include <set>
#include <vector>

#include "sweeps/grid.h"

namespace ranksweep::sweeps {

// Adds to `errors` what makes a trial's values contradict each other, and to `warnings` what is
// allowed and seldom meant. Each is said once for each place in the file, with the number of
// trials. Nothing is said about parameters in `unread`, whose values are not known.
void find_contradictions(const Grid& grid, const std::vector<GridTrial>& trials,
                         const std::set<const TrialParameter*>& unread,
                         std::vector<Diagnostic>& errors, std::vector<Diagnostic>& warnings);

}  // namespace ranksweep::sweeps
