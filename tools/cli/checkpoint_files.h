#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "results/results_reader.h"

namespace ranksweep::cli {

// Where a sweep keeps its checkpoints, a folder for each trial: beside the database, results.db has
// them in results.checkpoints/.
std::filesystem::path checkpoint_folder(const std::filesystem::path& database);

// The trial whose identity begins with `trial`, else the best of the ranking. Throws CommandError
// when there is none.
results::RankedTrial chosen_trial(results::ResultsReader& reader,
                                  const std::filesystem::path& database,
                                  const std::optional<std::string>& trial);

// The weights of a trial at its best epoch. Throws CommandError when it has no complete epoch yet,
// or when its file is not there.
std::filesystem::path best_checkpoint(const results::RankedTrial& trial,
                                      const std::filesystem::path& database);

}  // namespace ranksweep::cli
