#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {

// What the model makes of one file.
struct Classification {
  std::vector<float> probabilities;  // one a class; empty when there is an error
  std::string error;                 // completes a sentence that starts with the path: "is empty"
};

// Decodes and classifies `paths`, a batch at a time, and hands each result to `report` in their
// order. A file that is no image costs its own result and no other.
void classify_files(TrainedModel& model, const std::vector<std::filesystem::path>& paths,
                    const std::function<void(const Classification&)>& report);

}  // namespace ranksweep::worker
