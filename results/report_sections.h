#pragma once

#include <string>
#include <vector>

#include "results/report.h"
#include "results/report_data.h"

namespace ranksweep::results {

// One section of the HTML report.
struct ReportSection {
  std::string id;
  std::string title;
  std::string html;
};

// How much a report shows, so that it stays small.
inline constexpr std::size_t kMostCurves = 100;       // trials whose curves can be chosen
inline constexpr std::size_t kChosenCurves = 5;       // of them at first
inline constexpr std::size_t kMostCurvePoints = 100;  // of one curve
inline constexpr std::size_t kMostRankedRows = 2000;
inline constexpr std::size_t kMostTrainingPairs = 20;
inline constexpr std::size_t kMostBars = 3000;    // of the Gantt chart
inline constexpr std::size_t kJudgedTrials = 3;   // whose confusion matrices are shown
inline constexpr std::size_t kMostMistakes = 24;  // images of the gallery

// The sections that `data` has something for, in their order. Charts find their data by
// report_chart_data.
std::vector<ReportSection> report_sections(const ReportData& data, const ReportOptions& options);

// Indices of the epochs that a curve shows: all, or evenly thinned ones with the best and the last.
std::vector<std::size_t> shown_epochs(const Curve& curve);

// JSON for report.js.
std::string report_chart_data(const ReportData& data);

}  // namespace ranksweep::results
