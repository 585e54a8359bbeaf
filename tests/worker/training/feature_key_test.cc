#include "worker/training/feature_key.h"

#include <functional>
#include <set>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "tests/sweeps/random_spec.h"
#include "tests/worker/training/synthetic.h"

namespace ranksweep::worker {
namespace {

using sweeps::TrialSpec;

TrialSpec frozen_spec() {
  TrialSpec spec;
  spec.architecture = "resnet50";
  spec.training = sweeps::TrainingMode::frozen;
  spec.weights = "/weights.safetensors";
  spec.weights_hash = "hash";
  return spec;
}

struct Ingredients {
  TrialSpec spec = frozen_spec();
  sweeps::Precision precision = sweeps::Precision::float32;
  sweeps::MemoryFormat memory_format = sweeps::MemoryFormat::channels_last;
  TrainingData data;
  torch::Device device = torch::kCPU;
  FeaturePass pass = {.augmented_in_epoch = 3};

  std::string key() const {
    return feature_key(spec, precision, memory_format, data, device, pass);
  }
};

TEST(FeatureKey, ChangesWithEverythingThatDecidesTheBits) {
  using Change = std::function<void(Ingredients&)>;
  const std::vector<Change> changes = {
      [](auto&) {},
      [](auto& i) { i.spec.architecture = "vgg16"; },
      [](auto& i) { i.spec.weights_hash = "other"; },
      [](auto& i) { i.spec.weights.reset(); },
      [](auto& i) {
        i.spec.image_size = {150, 151};
      },
      [](auto& i) { i.spec.normalization = sweeps::Normalization::scale_0_1; },
      [](auto& i) { i.spec.head.pooling = sweeps::Pooling::max; },
      [](auto& i) { i.spec.augmentation.rotation = 1; },
      [](auto& i) { i.spec.data_seed = 1; },
      [](auto& i) { i.precision = sweeps::Precision::bfloat16; },
      [](auto& i) { i.memory_format = sweeps::MemoryFormat::contiguous; },
      [](auto& i) { i.data.fingerprint = "other"; },
      [](auto& i) {
        i.data.skipped = {{"a.png", "is empty"}};
      },
      [](auto& i) { i.device = torch::kCUDA; },
      [](auto& i) { i.pass.split = FeaturePass::Split::validation; },
      [](auto& i) { i.pass.leading_blocks = 2; },
      [](auto& i) { i.pass.augmented_in_epoch = 4; },
      [](auto& i) { i.pass.augmented_in_epoch = 0; },
  };
  std::set<std::string> keys;
  for (const Change& change : changes) {
    Ingredients ingredients;
    change(ingredients);
    keys.insert(ingredients.key());
  }
  at::set_num_threads(at::get_num_threads() + 1);
  keys.insert(Ingredients().key());
  EXPECT_EQ(keys.size(), changes.size() + 1);
}

TEST(FeatureKey, OfImagesAsTheyAreKnowsNothingOfAugmentation) {
  Ingredients plain{.pass = {}};
  Ingredients augmented = plain;
  augmented.spec.augmentation.rotation = 1;
  augmented.spec.data_seed = 2;
  EXPECT_EQ(plain.key(), augmented.key());
}

TEST(FeatureKey, OfRandomWeightsHasTheirSeed) {
  Ingredients first;
  first.spec.weights.reset();
  Ingredients second = first;
  second.spec.seed = 1;
  EXPECT_NE(first.key(), second.key());
}

// Whatever else two trials differ in, they share their features.
TEST(FeatureKey, IsThatOfEveryHead) {
  std::set<std::string> keys;
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const TrialSpec base = frozen_spec();
    TrialSpec spec = sweeps::testing::random_spec(random);
    spec.architecture = base.architecture;
    spec.training = base.training;
    spec.weights = "/somewhere/else.safetensors";
    spec.weights_hash = base.weights_hash;
    spec.image_size = base.image_size;
    spec.normalization = base.normalization;
    spec.head.pooling = base.head.pooling;
    spec.augmentation = base.augmentation;
    spec.data_seed = base.data_seed;
    keys.insert(Ingredients{.spec = spec}.key());
  }
  EXPECT_EQ(keys.size(), 1U);
}

}  // namespace
}  // namespace ranksweep::worker
