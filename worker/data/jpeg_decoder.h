#pragma once

#include <cstdint>
#include <span>

#include "worker/data/image.h"

namespace ranksweep::worker {

// Decodes a JPEG at full size, or at 1/2, 1/4 or 1/8 where the result, once upright, is still at
// least min_height x min_width. Throws ImageError.
StoredImage decode_jpeg(std::span<const std::uint8_t> bytes, int min_height, int min_width);

}  // namespace ranksweep::worker
