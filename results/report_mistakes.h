#pragma once

#include "results/report.h"
#include "results/report_sections.h"

namespace ranksweep::results {

// Confusion matrices of the best trials, and the images that the first of them gets wrong, drawn
// and explained where `options` can. Needs data.judgements.
ReportSection mistakes_section(const ReportData& data, const ReportOptions& options);

}  // namespace ranksweep::results
