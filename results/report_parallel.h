#pragma once

#include "results/report_data.h"
#include "results/report_sections.h"

namespace ranksweep::results {

// Parallel coordinates: each ranked trial is a line over an axis for each swept parameter and one
// for its validation loss. Drawn here, not in the browser, so that it is on paper as it is on the
// screen. Empty html when there is nothing to draw: fewer than two swept parameters or ranked
// trials.
ReportSection parallel_section(const ReportData& data);

// The drawing alone, without an SVG element around it. Empty when there is nothing to draw.
struct ParallelDrawing {
  std::string svg;
  double width = 0;
  double height = 0;
};
ParallelDrawing draw_parallel(const ReportData& data);

}  // namespace ranksweep::results
