#pragma once

#include <optional>
#include <string>

#include "results/results_reader.h"
#include "worker/data/image.h"

namespace ranksweep::cli {

// The image `file` of a sweep's data set, small and squeezed to a square, as the networks see it;
// nothing when it is not there any more or no image.
std::optional<worker::Image> read_thumbnail(const results::SweepInfo& sweep,
                                            const std::string& file);
// As a JPEG.
std::string encode_thumbnail(const worker::Image& image);
// Both, for results::report_html().
std::optional<std::string> draw_thumbnail(const results::SweepInfo& sweep, const std::string& file);

}  // namespace ranksweep::cli
