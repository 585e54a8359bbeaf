#pragma once

#include <string>

namespace ranksweep::cli {

// A rank among those of its node.
struct NodeShare {
  int rank = 0;
  int ranks = 1;
  int gpus = 0;  // 0 too where this program was built without CUDA
  int trials_per_gpu = 1;
};

// The device of a rank: "cuda:N", or "cpu" for all ranks of the node. `wish`: "auto", "cpu",
// "cuda". Ranks go round the GPUs, so that they are shared evenly. Throws CommandError where more
// ranks would share one than may.
std::string choose_device(const std::string& wish, const NodeShare& share);

}  // namespace ranksweep::cli
