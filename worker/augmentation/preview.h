#pragma once

#include <cstdint>
#include <filesystem>

#include "sweeps/sweep_spec.h"

namespace ranksweep::worker {

struct PreviewOptions {
  int images = 3;    // training images shown, of different classes in turn
  int variants = 5;  // of each: what the first epochs would see
};

// Draws a contact sheet of what augmentation makes of a sweep's training images: for each preset,
// and each other augmentation of the sweep, a row an image, the image itself first. The variants
// are those that a trial with the sweep's first data_seed and image_size sees. Uses the cache of
// decoded images, and fills it for the sweep. Writes a PNG file. Throws DataError,
// std::invalid_argument, std::runtime_error.
void write_preview(const sweeps::SweepSpec& sweep, const PreviewOptions& options,
                   const std::filesystem::path& path);

}  // namespace ranksweep::worker
