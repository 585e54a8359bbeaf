#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ranksweep::cli {

// The trainer that belongs to this program: `ranksweep-trainer` in the same folder, or what
// $RANKSWEEP_TRAINER names. Throws CommandError when it is not there.
std::filesystem::path find_trainer();

// Runs `command` to its end and returns what it printed, stdout and stderr together. Throws
// CommandError with that text when it cannot be started or does not exit with 0.
std::string output_of(const std::vector<std::string>& command);

}  // namespace ranksweep::cli
