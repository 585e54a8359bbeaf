#pragma once

#include <vector>

#include "worker/data/image.h"

namespace ranksweep::cli {

// What a trainer says a network goes by: how far the log-odds of the class that it took fall when a
// cell of the image is hidden, for a grid of cells, row by row.
using OcclusionMap = std::vector<std::vector<double>>;

// `image` in grey, with red where it speaks for the class and blue where it speaks against: the
// largest number is the deepest colour. A map of zeros leaves it grey. Needs a map with as many
// cells in each row.
worker::Image draw_occlusion(const worker::Image& image, const OcclusionMap& map);

}  // namespace ranksweep::cli
