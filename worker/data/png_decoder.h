#pragma once

#include <cstdint>
#include <span>

#include "worker/data/image.h"

namespace ranksweep::worker {

// Decodes a PNG of any colour type and depth; what is transparent lies on white, blended as
// browsers do, in sRGB. The orientation is that of an eXIf chunk. Throws ImageError.
StoredImage decode_png(std::span<const std::uint8_t> bytes);

}  // namespace ranksweep::worker
