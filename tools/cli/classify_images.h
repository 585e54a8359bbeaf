#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/cli/occlusion_picture.h"

namespace ranksweep::cli {

struct ClassifyOptions {
  std::string device = "auto";  // auto, cpu, cuda or cuda:N
  int batch = 32;
  bool explain = false;  // asks for occlusion maps
};

// What a trial's network makes of one image.
struct ImageAnswer {
  std::vector<double> probabilities;  // one a class; empty when there is an error
  OcclusionMap occlusion;             // of the likeliest class; empty unless asked for
  std::string error;                  // completes a sentence that starts with the path
};

struct ImageAnswers {
  std::vector<std::string> classes;
  std::array<int, 2> image_size = {};  // height and width that the network takes
  std::vector<ImageAnswer> images;     // in the order of the paths
};

// Has the trainer classify `paths` with the network of a trial's `checkpoint`. Throws CommandError
// when the trainer's answer is not whole, std::runtime_error with what it said when it fails.
ImageAnswers classify_images(const std::filesystem::path& checkpoint,
                             const std::vector<std::string>& paths, const ClassifyOptions& options);

}  // namespace ranksweep::cli
