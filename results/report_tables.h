#pragma once

#include <vector>

#include "results/report_data.h"
#include "results/table.h"

// Tables that the reports share.
namespace ranksweep::results {

Table effect_table(const std::vector<Effect>& effects);
Table training_table(const std::vector<TrainingPair>& pairs);
// The epochs of the first `limit` curves.
Table curve_table(const std::vector<Curve>& curves, std::size_t limit);
Table attempt_table(const std::vector<Attempt>& attempts);
// Attempts that failed, were lost or diverged.
Table failure_table(const std::vector<Attempt>& attempts);
// The data, and what the last invocation ran with.
Table provenance_table(const SweepInfo& sweep, const std::vector<Invocation>& invocations);

}  // namespace ranksweep::results
