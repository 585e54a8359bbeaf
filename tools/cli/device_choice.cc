#include "tools/cli/device_choice.h"

#include <fmt/format.h>

#include "cluster/node.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

constexpr bool kWithCuda = RANKSWEEP_WITH_CUDA;

}  // namespace

std::string choose_device(const std::string& wish, const NodeShare& share) {
  if (wish == "cpu" || (wish == "auto" && share.gpus == 0)) {
    return "cpu";
  }
  if (share.rank >= share.gpus * share.trials_per_gpu) {
    throw CommandError(
        ExitCode::unfit,
        fmt::format("{} has {} and {}: start one rank a GPU, let more of them share one with "
                    "--trials-per-gpu, or choose --device cpu{}",
                    cluster::host_name(), count_text(share.gpus, "GPU"),
                    count_text(share.ranks, "rank"),
                    kWithCuda ? "" : " (this ranksweep was built without CUDA)"));
  }
  return fmt::format("cuda:{}", share.rank % share.gpus);
}

}  // namespace ranksweep::cli
