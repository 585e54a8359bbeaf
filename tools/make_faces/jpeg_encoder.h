#pragma once

#include <string>

#include "worker/data/image.h"

namespace ranksweep::make_faces {

// A baseline JPEG, quality 1 to 100, as the bytes of a file.
std::string encode_jpeg(const worker::Image& image, int quality);

}  // namespace ranksweep::make_faces
