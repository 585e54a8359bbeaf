#pragma once

#include "worker/data/image.h"

namespace ranksweep::worker {

// Bilinear with antialiasing: a triangle filter as wide as the output pixel when shrinking, plain
// bilinear when enlarging; pixel centres lie at half coordinates. The convention of PIL's BILINEAR
// and of torchvision's resize(antialias=True), which it matches within 1 of 255.
Image resize(Image image, int height, int width);

}  // namespace ranksweep::worker
