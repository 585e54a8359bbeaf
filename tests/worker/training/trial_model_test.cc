#include "worker/training/trial_model.h"

#include <gtest/gtest.h>

#include "tests/printed_enumerations.h"
#include "tests/worker/training/synthetic.h"

namespace ranksweep::worker {
namespace {

constexpr int kSize = 32;

sweeps::TrialSpec spec_of(std::optional<sweeps::Normalization> normalization,
                          const std::string& architecture = "simple_cnn") {
  sweeps::TrialSpec spec;
  spec.architecture = architecture;
  spec.image_size = {kSize, kSize};
  spec.normalization = normalization;
  return spec;
}

// One image of one colour, prepared: the three values of its pixels.
std::vector<float> prepared(const sweeps::TrialSpec& spec, int red, int green, int blue) {
  const torch::Tensor colour = torch::tensor({red, green, blue}, torch::kUInt8);
  const ImageSet set{.images = colour.expand({1, kSize, kSize, 3}).contiguous(),
                     .labels = torch::zeros(1, torch::kInt64)};
  const TrialModel model(spec, 2, torch::kCPU);
  const torch::Tensor images = model.images(set, torch::zeros(1, torch::kInt64));
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{1, 3, kSize, kSize}));
  EXPECT_TRUE(images.equal(images.slice(2, 0, 1).slice(3, 0, 1).expand_as(images)));
  const torch::Tensor values = images.select(3, 0).select(2, 0)[0].contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + 3};
}

void expect_near(const std::vector<float>& values, std::vector<double> expected) {
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(values[i], expected[i], 1e-5) << i;
}

TEST(TrialModel, Normalizations) {
  expect_near(prepared(spec_of(sweeps::Normalization::scale_0_1), 255, 51, 0), {1, 0.2, 0});
  expect_near(prepared(spec_of(sweeps::Normalization::minus1_1), 255, 51, 0), {1, -0.6, -1});
  expect_near(prepared(spec_of(sweeps::Normalization::imagenet), 255, 51, 0),
              {(1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, -0.406 / 0.225});
  expect_near(prepared(spec_of(sweeps::Normalization::caffe), 255, 51, 0),
              {-103.939, 51 - 116.779, 255 - 123.68});
}

TEST(TrialModel, WithoutANormalizationTakesTheArchitectures) {
  expect_near(prepared(spec_of({}), 255, 51, 0), {1, 0.2, 0});
  expect_near(prepared(spec_of({}, "resnet50"), 255, 51, 0),
              {(1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, -0.406 / 0.225});
}

TEST(TrialModel, TakesImagesInTheOrderOfTheIndices) {
  const ImageSet set = synthetic_images(5, 2, kSize, 1);
  const TrialModel model(spec_of(sweeps::Normalization::scale_0_1), 2, torch::kCPU);
  const torch::Tensor images = model.images(set, torch::tensor({3, 0}, torch::kInt64));
  EXPECT_TRUE(images[0].permute({1, 2, 0}).mul(255).round().to(torch::kUInt8).equal(set.images[3]));
  EXPECT_TRUE(images[1].permute({1, 2, 0}).mul(255).round().to(torch::kUInt8).equal(set.images[0]));
}

TEST(TrialModel, AFlipIsAMirrorImage) {
  sweeps::TrialSpec spec = spec_of(sweeps::Normalization::imagenet);
  spec.augmentation.horizontal_flip = true;
  const ImageSet set = synthetic_images(8, 2, kSize, 1);
  const TrialModel model(spec, 2, torch::kCPU);
  const torch::Tensor all = torch::arange(8, torch::kInt64);
  const torch::Tensor plain = model.images(set, all);
  const torch::Tensor changed = model.augmented_images(set, all, 1);
  int flipped = 0;
  for (int i = 0; i < 8; ++i) {
    const bool mirror = torch::allclose(changed[i], plain[i].flip({2}), 1e-3, 1e-3);
    EXPECT_TRUE(mirror || torch::allclose(changed[i], plain[i], 1e-3, 1e-3)) << i;
    flipped += mirror;
  }
  EXPECT_GT(flipped, 0);
  EXPECT_LT(flipped, 8);
}

TEST(TrialModel, MemoryFormatsAgree) {
  sweeps::TrialSpec spec = spec_of({}, "resnet50");
  const ImageSet set = synthetic_images(3, 2, kSize, 1);
  const torch::Tensor all = torch::arange(3, torch::kInt64);
  std::vector<torch::Tensor> logits;
  for (const auto format :
       {sweeps::MemoryFormat::contiguous, sweeps::MemoryFormat::channels_last}) {
    spec.memory_format = format;
    TrialModel model(spec, 2, torch::kCPU);
    model.model().train(false);
    logits.push_back(model.logits(model.pooled(model.images(set, all))));
  }
  EXPECT_TRUE(torch::allclose(logits[0], logits[1], 1e-3, 1e-4));
}

class HalfPrecision : public testing::TestWithParam<sweeps::Precision> {};
INSTANTIATE_TEST_SUITE_P(Both, HalfPrecision,
                         testing::Values(sweeps::Precision::bfloat16, sweeps::Precision::float16));

TEST_P(HalfPrecision, ComputesInItAndKeepsFloatWeights) {
  sweeps::TrialSpec spec = spec_of({});
  const ImageSet set = synthetic_images(3, 2, kSize, 1);
  const torch::Tensor all = torch::arange(3, torch::kInt64);
  TrialModel exact(spec, 2, torch::kCPU);
  spec.precision = GetParam();
  TrialModel rounded(spec, 2, torch::kCPU);
  exact.model().train(false);
  rounded.model().train(false);
  const torch::Tensor expected = exact.pooled(exact.images(set, all));
  const torch::Tensor features = rounded.pooled(rounded.images(set, all));
  EXPECT_EQ(features.scalar_type(), torch::kFloat32);
  EXPECT_FALSE(features.equal(expected));
  EXPECT_TRUE(torch::allclose(features, expected, 0.05, 0.02));
  for (const auto& parameter : rounded.model().base().parameters()) {
    EXPECT_EQ(parameter.scalar_type(), torch::kFloat32);
  }
}

// Shared with the features of trials in float32, and recorded as such.
TEST(TrialModel, Tf32IsOfGpus) {
  sweeps::TrialSpec spec = spec_of({});
  spec.precision = sweeps::Precision::tf32;
  EXPECT_EQ(TrialModel(spec, 2, torch::kCPU).precision(), sweeps::Precision::float32);
}

}  // namespace
}  // namespace ranksweep::worker
