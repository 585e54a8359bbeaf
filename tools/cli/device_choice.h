#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cluster/gpus.h"

namespace ranksweep::cli {

// The GPUs that this process may train on: those that CUDA shows to it, and none where this program
// was built without CUDA.
std::vector<cluster::Gpu> usable_gpus();

// What a rank may train on: GPUs by name, in CUDA's order.
struct RankGpus {
  std::string host;
  std::vector<std::string> gpus;
};

// By rank, which of its GPUs each trains on; none: the CPU. `wish`: "auto", "cpu", "cuda". One
// after the other, those with the fewest GPUs first, ranks take of their GPUs the one that the
// fewest have taken. So ranks that may use the same ones go round them, and one that may use no
// other has its own. Throws CommandError where more ranks would share a GPU than may, or a rank
// that wants one has none.
std::vector<std::optional<std::size_t>> choose_gpus(const std::string& wish,
                                                    const std::vector<RankGpus>& ranks,
                                                    int trials_per_gpu);

}  // namespace ranksweep::cli
