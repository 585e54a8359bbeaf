#pragma once

#include <span>
#include <vector>

#include "results/results_reader.h"

namespace ranksweep::results {

// Sets RankedTrial::like_best of `trials` by a sign-flip test on the losses of the same images; see
// distinguishable(). `best`: the trial of rank 1, with which they are compared.
void compare_with_best(ResultsReader& reader, const RankedTrial& best,
                       std::span<RankedTrial> trials);
// Of all trials of `ranking`, by position.
void compare_with_best(ResultsReader& reader, std::vector<RankedTrial>& ranking);

}  // namespace ranksweep::results
