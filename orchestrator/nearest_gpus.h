#pragma once

#include <cstddef>
#include <vector>

#include "cluster/gpus.h"

namespace ranksweep::orchestrator {

// The places of `wanted` of the `gpus` of one host, in order: those whose pairs' distances, counted
// in steps of cluster::Nearness, have the smallest sum, and the first of several such. A pair of
// which nothing is known is as far as can be, so where nothing is known they are the first ones;
// null is a GPU of which nothing is known.
std::vector<std::size_t> nearest_gpus(const std::vector<const cluster::Gpu*>& gpus,
                                      std::size_t wanted);

}  // namespace ranksweep::orchestrator
