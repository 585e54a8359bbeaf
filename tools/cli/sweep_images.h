#pragma once

#include <filesystem>
#include <string>

#include "results/results_reader.h"

namespace ranksweep::cli {

// Where the image `file` of a sweep's data set lies; names are relative to the folder, or to the
// folder of the manifest.
std::filesystem::path path_of_image(const results::SweepInfo& sweep, const std::string& file);

}  // namespace ranksweep::cli
