#pragma once

#include <string>

#include "results/results_reader.h"

namespace ranksweep::results {

// What somebody has to know who is given the network of `trial` and nothing else, as Markdown
// (after Mitchell et al., Model Cards for Model Reporting, 2019): what it takes and gives, the
// images that it learned from, its scores and how far they can be trusted, its parameters, where it
// came from. Throws StoreError when the trial has no complete epoch.
std::string model_card(ResultsReader& reader, const sweeps::TrialId& trial);

}  // namespace ranksweep::results
