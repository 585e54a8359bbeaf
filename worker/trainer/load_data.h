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

struct TestSplit {
  ImageSet images;
  std::shared_ptr<const void> owner;  // of the memory behind them
};

// The test split of the same, of which training sees nothing. Throws DataError when there is none.
TestSplit load_test_split(const nlohmann::json& data, std::array<int, 2> image_size);

}  // namespace ranksweep::worker
