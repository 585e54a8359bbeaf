#include "worker/training/feature_key.h"

#include <array>
#include <unistd.h>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "sweeps/trial_id.h"
#include "sweeps/trial_values.h"
#include "worker/data/image.h"
#include "worker/training/evaluation.h"

namespace ranksweep::worker {
namespace {

// Raised with every change to what a pass computes: to networks, augmentation, normalisation.
constexpr int kVersion = 1;

// Processors differ in the last bits, and a cache folder may be on a disk of several nodes.
std::string node_name() {
  std::array<char, 256> name = {};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

nlohmann::json base_of(const sweeps::TrialSpec& spec) {
  nlohmann::json base = {{"architecture", spec.architecture}, {"torch", TORCH_VERSION}};
  if (spec.weights) {
    base["weights"] =
        spec.weights_hash ? *spec.weights_hash : sweeps::hash_hex_of_file(*spec.weights);
  } else {
    base["seed"] = spec.seed;  // random weights
  }
  return base;
}

}  // namespace

std::string base_key(const sweeps::TrialSpec& spec) { return base_of(spec).dump(); }

std::string feature_key(const sweeps::TrialSpec& spec, sweeps::Precision precision,
                        sweeps::MemoryFormat memory_format, const TrainingData& data,
                        const torch::Device& device, const FeaturePass& pass) {
  const bool is_train = pass.split == FeaturePass::Split::train;
  std::vector<std::string> skipped;
  for (const BadFile& file : data.skipped) skipped.push_back(file.name);
  nlohmann::json key = {{"version", {RANKSWEEP_VERSION, kVersion, kDecoderVersion}},
                        {"base", base_of(spec)},
                        {"data", data.fingerprint},
                        {"skipped", sweeps::hash_hex(nlohmann::json(skipped).dump())},
                        {"split", is_train ? "train" : "validation"},
                        {"image_size", spec.image_size},
                        {"normalization", sweeps::encode(normalization_of(spec))},
                        {"precision", sweeps::encode(precision)},
                        {"memory_format", sweeps::encode(memory_format)},
                        {"batch", kEvaluationBatch},
                        {"device", c10::DeviceTypeName(device.type(), /*lower_case=*/true)},
                        {"threads", at::get_num_threads()},
                        {"node", node_name()}};
  if (pass.leading_blocks > 0) {
    key["leading_blocks"] = pass.leading_blocks;
  } else {
    key["pooling"] = sweeps::encode(spec.head.pooling);
  }
  if (pass.augmented_in_epoch > 0) {
    key["augmentation"] = sweeps::encode_changes(spec.augmentation);
    key["data_seed"] = spec.data_seed;
    key["epoch"] = pass.augmented_in_epoch;
  }
  return key.dump();
}

}  // namespace ranksweep::worker
