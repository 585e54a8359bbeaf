#pragma once

#include <random>

#include "sweeps/trial_spec.h"

namespace ranksweep::sweeps::testing {

// A trial with a random value for every parameter, made from the table's shapes: values at the ends
// of ranges too. Contradictions between parameters may occur.
TrialSpec random_spec(std::mt19937_64& random);

}  // namespace ranksweep::sweeps::testing
