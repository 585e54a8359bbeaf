#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "results/import/published_table.h"
#include "results/results_reader.h"

namespace ranksweep::results {

// Draws the image `file` of the sweep's data set, small: the bytes of a JPEG, or nothing when it is
// not there or no image.
using Thumbnail =
    std::function<std::optional<std::string>(const SweepInfo& sweep, const std::string& file)>;

struct ReportOptions {
  bool live = false;                    // the page asks its own server, and no other, for news
  std::vector<PublishedRow> published;  // results of others, shown beside those of the sweep
  // Without it the images that the best trial gets wrong are named and not drawn.
  Thumbnail thumbnail = {};
  // Draws what the network went by in such an image, red where it spoke for the mistake and blue
  // where it spoke against it. Optional.
  Thumbnail explanation = {};
};

// The whole sweep as one HTML page that needs no network: the same bytes from the same database and
// images. At most 5 MB for 10,000 trials: long tables and curves are cut to the best, and say so.
std::string report_html(ResultsReader& reader, const ReportOptions& options = {});

// Headline and tables in GitHub Flavored Markdown, for a paper or a pull request.
std::string report_markdown(ResultsReader& reader, const ReportOptions& options = {});

// The curves of the best trials and the parameters side by side, as one figure for a paper or a
// Markdown page.
std::string report_svg(ResultsReader& reader);

}  // namespace ranksweep::results
