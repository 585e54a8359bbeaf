#pragma once

#include <vector>

#include "results/report_data.h"
#include "results/table.h"

namespace ranksweep::results {

// Each row of a published table beside the best trial of that name: of its description, or of its
// architecture.
Table published_table(const ReportData& data);

// What the table says in a sentence.
std::string published_summary(const ReportData& data);

}  // namespace ranksweep::results
