#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/document.h"
#include "sweeps/members.h"

namespace ranksweep::sweeps {

// A program of the user's own that trains the trials of a sweep in place of the built-in trainer,
// as `trainer:` of a sweep file names it. docs/external_trainers.md says how it is started.
struct ExternalTrainer {
  std::vector<std::string> command;  // the program and its arguments
  std::vector<std::string> inputs;   // files and folders whose content decides what trials compute
  std::filesystem::path folder;      // absolute: where it is started, and paths start from
};

const std::vector<Member<ExternalTrainer>>& external_trainer_members();

// Reads the block `trainer` of a sweep file that lies in `folder`. Adds to `found` what is wrong
// with it: a program that is not there or cannot be executed, an input that is not there.
ExternalTrainer read_external_trainer(const Node& block, const std::filesystem::path& folder,
                                      std::vector<Diagnostic>& found);

// A hash of the command's words and of the names and contents of the inputs; of a folder, those of
// all files in it. Throws std::system_error, which names the file that cannot be read.
std::string fingerprint(const ExternalTrainer&);

}  // namespace ranksweep::sweeps
