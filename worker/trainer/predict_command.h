#pragma once

#include <filesystem>
#include <string>

#include "worker/prediction/classify_files.h"

namespace ranksweep::worker {

struct PredictRequest {
  std::filesystem::path checkpoint;
  std::filesystem::path list;   // a file with paths, a zero byte after each
  std::string device = "auto";  // or as Torch writes it; auto is a GPU where there is one
  ClassifyOptions classify;
};

// Classifies the listed files with the network of a trial's checkpoint. Prints JSON, one object a
// line: {"classes": [...], "image_size": [height, width]}, then for each path in order
// {"probabilities": [...]}, with "occlusion": [[...], ...] when explanations are asked for, or
// {"error": "is empty"}. Throws SafetensorsError, std::invalid_argument for a device that is not
// there, and std::runtime_error when the list cannot be read.
void predict(const PredictRequest& request);

}  // namespace ranksweep::worker
