#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/cli/classify_images.h"

namespace ranksweep::cli {

// More would make a picture that nobody can open.
inline constexpr std::size_t kMostExplanations = 100;

// Draws what `answers`, which have occlusion maps, go by: a row for each of `paths` that could be
// classified, the image and its map. Writes a PNG file. Throws CommandError when it cannot be
// written, or when no image could be classified.
void write_explanation_sheet(const std::vector<std::string>& paths, const ImageAnswers& answers,
                             const std::filesystem::path& picture);

}  // namespace ranksweep::cli
