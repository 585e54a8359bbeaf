#pragma once

#include <string>

#include "results/results_reader.h"

namespace ranksweep::results {

// The whole sweep as one HTML page that needs no network: the same bytes from the same database. At
// most 5 MB for 10,000 trials: long tables and curves are cut to the best, and say so.
std::string report_html(ResultsReader& reader);

// Headline and tables in GitHub Flavored Markdown, for a paper or a pull request.
std::string report_markdown(ResultsReader& reader);

}  // namespace ranksweep::results
