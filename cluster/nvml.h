#pragma once

#include <string>
#include <vector>

#include "cluster/gpus.h"

namespace ranksweep::cluster {

// The GPUs of this node that this process has access to, each with its nearness to the others, in
// the order of their PCI addresses: from the NVIDIA Management Library, which comes with every
// driver. It is loaded here, so that no program of ours needs it. Throws std::runtime_error with
// the reason where it is not there or finds no driver.
std::vector<Gpu> read_nvml();

}  // namespace ranksweep::cluster
