#include "worker/training/features.h"

#include <nlohmann/json.hpp>

namespace ranksweep::worker {

void FeatureCache::select(const std::string& wanted) {
  if (key != wanted) *this = {.key = wanted, .train = {}, .validation = {}};
}

std::string feature_key(const sweeps::TrialSpec& spec, const std::string& data_fingerprint,
                        const torch::Device& device) {
  nlohmann::json key = {data_fingerprint,       spec.architecture, spec.image_size,
                        normalization_of(spec), spec.head.pooling, spec.precision,
                        spec.memory_format,     device.str(),      at::get_num_threads()};
  if (spec.weights) {
    key.push_back({*spec.weights, spec.weights_hash.value_or("")});
  } else {
    key.push_back(spec.seed);  // random weights
  }
  return key.dump();
}

}  // namespace ranksweep::worker
