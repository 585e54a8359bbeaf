#pragma once

#include <string>
#include <vector>

#include "cluster/gpus.h"

namespace ranksweep::cli {

// "cuda:0 (GPU-8932f937), cuda:1 (GPU-1b9dcd1e)": of UUIDs what CUDA_VISIBLE_DEVICES and nvidia-smi
// take for them.
std::string names_text(const std::vector<cluster::Gpu>& gpus);

// How they are linked, by number: "NVLink 0-1, 2-3; system between all others"; "not known". Empty
// for less than two.
std::string links_text(const std::vector<cluster::Gpu>& gpus);

}  // namespace ranksweep::cli
