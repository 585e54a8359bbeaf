#pragma once

#include <array>
#include <memory>

#include <nlohmann/json.hpp>

#include "worker/data/decoded_split.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// Opens the images that `data` (DataSpec and "fingerprint", as in cluster::Assign) names, at
// `image_size`. Throws DataError, std::invalid_argument.
std::shared_ptr<const TrainingData> load_data(const nlohmann::json& data,
                                              std::array<int, 2> image_size,
                                              const DecodeProgress& progress);

}  // namespace ranksweep::worker
