#pragma once

#include <filesystem>

namespace ranksweep::worker {

// Evaluates the network of a trial's checkpoint on the test split, as in validation: every image
// once. `request` is a JSON file: {"data": DataSpec and "fingerprint" as in cluster::Assign,
// "device": "cpu", "threads": 2}. Prints one line of JSON: "loss", "accuracy", "classes_predicted",
// and the members of sweeps::Predictions. Throws SafetensorsError, DataError, c10::Error,
// std::runtime_error when the request cannot be read or there is no test split.
void test(const std::filesystem::path& checkpoint, const std::filesystem::path& request);

}  // namespace ranksweep::worker
