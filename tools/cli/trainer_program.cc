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

void set_trainer_environment() {
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  ::setenv("GLIBC_TUNABLES",
           "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:"
           "glibc.malloc.trim_threshold=1099511627776",
           0);
}

}  // namespace ranksweep::cli
