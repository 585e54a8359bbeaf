#include "tools/cli/trainer_program.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "cluster/signals.h"
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

nlohmann::json ask_trainer(const std::filesystem::path& trainer,
                           std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), trainer.string());
  const std::string output =
      cluster::output_of(arguments, [] { return cluster::stop_signal() != 0; });
  nlohmann::json answer;
  for (std::size_t begin = 0, end = 0; begin < output.size(); begin = end + 1) {
    end = std::min(output.find('\n', begin), output.size());
    auto line = nlohmann::json::parse(output.substr(begin, end - begin), nullptr, false);
    if (line.is_structured()) answer = std::move(line);
  }
  if (answer.is_null()) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("the trainer gave no answer, but printed:\n{}", output));
  }
  return answer;
}

void set_trainer_environment() {
  ::setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0);
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  ::setenv("GLIBC_TUNABLES",
           "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:"
           "glibc.malloc.trim_threshold=1099511627776",
           0);
}

}  // namespace ranksweep::cli
