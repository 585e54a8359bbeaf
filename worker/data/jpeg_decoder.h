#pragma once

#include <cstdint>
#include <span>

#include "worker/data/image.h"

namespace ranksweep::worker {

struct DecodedJpeg {
  Image image;          // as stored: not turned yet
  int orientation = 1;  // of EXIF, 1 to 8
};

// Decodes a JPEG at full size, or at 1/2, 1/4 or 1/8 where the result, once upright, is still at
// least min_height x min_width. Throws ImageError.
DecodedJpeg decode_jpeg(std::span<const std::uint8_t> bytes, int min_height, int min_width);

}  // namespace ranksweep::worker
