#include "tools/cli/trainer_program.h"

#include <cstdlib>

#include <fmt/format.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {

std::filesystem::path find_trainer() {
  if (const char* chosen = std::getenv("RANKSWEEP_TRAINER")) {
    return chosen;
  }
  auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ranksweep-trainer";
  if (!std::filesystem::exists(beside)) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("{} is not there: build or install it beside ranksweep, or name "
                                   "another trainer in RANKSWEEP_TRAINER",
                                   beside.string()));
  }
  return beside;
}

}  // namespace ranksweep::cli
