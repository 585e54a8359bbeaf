#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ranksweep::cli {

// The trainer that belongs to this program: `ranksweep-trainer` in the same folder, or what
// $RANKSWEEP_TRAINER names. Throws CommandError when it is not there.
std::filesystem::path find_trainer();

// Runs the trainer with these arguments and returns its answer: the last line of JSON that it
// prints, since a library may have printed warnings around it. Throws CommandError when there is
// none, std::runtime_error with what was printed when it fails, cluster::CommandStopped when this
// process is told to stop.
nlohmann::json ask_trainer(const std::filesystem::path& trainer,
                           std::vector<std::string> arguments);

// Sets what trainers inherit: threads that sleep while they wait, memory that is kept from step to
// step, and GPUs that are counted as cluster::visible_gpus() does. A user's own settings stay.
// docs/decisions/0005 and 0020 say why.
void set_trainer_environment();

}  // namespace ranksweep::cli
