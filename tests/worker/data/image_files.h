#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "worker/data/image.h"

// Makes the image files that the tests read.
namespace ranksweep::worker {

using Bytes = std::vector<std::uint8_t>;

// Red grows from left to right, green from top to bottom, blue is `blue`.
Image gradient(int height, int width, int blue = 128);
// One colour.
Image plain(int height, int width, int red, int green, int blue);

enum class JpegColors { rgb, grey, cmyk, adobe_cmyk };

// A JPEG of quality 95 without chroma subsampling. `orientation` 0: no EXIF.
Bytes jpeg_bytes(const Image& image, JpegColors colors = JpegColors::rgb, int orientation = 0,
                 bool progressive = false);

enum class PngColors { grey, grey_alpha, rgb, rgba, palette, rgb16 };

// A PNG. Pixels of the `_alpha` kinds and of rgba have the opacity `alpha`. `orientation` 0: no
// EXIF.
Bytes png_bytes(const Image& image, PngColors colors = PngColors::rgb, int alpha = 255,
                int orientation = 0);

// The largest difference of two images of one size; 256 when their sizes differ.
int largest_difference(const Image& a, const Image& b);

}  // namespace ranksweep::worker
