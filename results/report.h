#pragma once

#include <string>
#include <vector>

#include "results/import/published_table.h"
#include "results/results_reader.h"

namespace ranksweep::results {

struct ReportOptions {
  bool live = false;                    // the page asks its own server, and no other, for news
  std::vector<PublishedRow> published;  // results of others, shown beside those of the sweep
};

// The whole sweep as one HTML page that needs no network: the same bytes from the same database. At
// most 5 MB for 10,000 trials: long tables and curves are cut to the best, and say so.
std::string report_html(ResultsReader& reader, const ReportOptions& options = {});

// Headline and tables in GitHub Flavored Markdown, for a paper or a pull request.
std::string report_markdown(ResultsReader& reader, const ReportOptions& options = {});

// The curves of the best trials and the parameters side by side, as one figure for a paper or a
// Markdown page.
std::string report_svg(ResultsReader& reader);

}  // namespace ranksweep::results
