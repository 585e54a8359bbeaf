#pragma once

#include <filesystem>

namespace ranksweep::worker {

// Classifies the files whose paths stand in `list`, one after each zero byte, with the network of a
// trial's checkpoint. Prints JSON, one object a line: {"classes": [...]}, then for each path in
// order {"probabilities": [...]} or {"error": "is empty"}. On a GPU where there is one. Throws
// SafetensorsError, and std::runtime_error when the list cannot be read.
void predict(const std::filesystem::path& checkpoint, const std::filesystem::path& list);

}  // namespace ranksweep::worker
