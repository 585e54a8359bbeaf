#pragma once

#include <optional>
#include <string>

#include "results/results_reader.h"

namespace ranksweep::cli {

// The image `file` of a sweep's data set as a small JPEG, squeezed to a square as the networks see
// it; nothing when it is not there any more or no image. For results::report_html().
std::optional<std::string> draw_thumbnail(const results::SweepInfo& sweep, const std::string& file);

}  // namespace ranksweep::cli
