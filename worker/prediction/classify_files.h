#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {

// What the model makes of one file.
struct Classification {
  std::vector<float> probabilities;           // one a class; empty when there is an error
  std::vector<std::vector<float>> occlusion;  // occlusion_map() of the likeliest class, row by row
  std::string error;  // completes a sentence that starts with the path: "is empty"
};

struct ClassifyOptions {
  int batch = 32;        // images that go through the network together
  bool explain = false;  // with an occlusion map, which takes 145 passes an image
};

// Decodes and classifies `paths`, a batch at a time, and hands each result to `report` in their
// order. The next batches are decoded meanwhile. A file that is no image costs its own result and
// no other.
void classify_files(TrainedModel& model, const std::vector<std::filesystem::path>& paths,
                    const ClassifyOptions& options,
                    const std::function<void(const Classification&)>& report);

}  // namespace ranksweep::worker
