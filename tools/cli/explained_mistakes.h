#pragma once

#include <filesystem>

#include "results/report.h"
#include "results/results_reader.h"

namespace ranksweep::cli {

// Has the trainer find what the best trial goes by in the validation images that it gets wrong, as
// many as the report shows. Gives the pictures of that, for results::report_html(). Throws
// CommandError when there is no best trial or its weights are not there.
results::Thumbnail explain_mistakes(results::ResultsReader& reader,
                                    const std::filesystem::path& database);

}  // namespace ranksweep::cli
