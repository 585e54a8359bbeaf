#pragma once

#include <filesystem>

namespace ranksweep::cli {

// The trainer that belongs to this program: `ranksweep-trainer` in the same folder, or what
// $RANKSWEEP_TRAINER names. Throws CommandError when it is not there.
std::filesystem::path find_trainer();

// Sets what trainers inherit: threads that sleep while they wait, and memory that is kept from step
// to step. A user's own settings stay. docs/decisions/0005 says why.
void set_trainer_environment();

}  // namespace ranksweep::cli
