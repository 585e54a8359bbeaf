#pragma once

#include <filesystem>

namespace ranksweep::cli {

// The trainer that belongs to this program: `ranksweep-trainer` in the same folder, or what
// $RANKSWEEP_TRAINER names. Throws CommandError when it is not there.
std::filesystem::path find_trainer();

}  // namespace ranksweep::cli
