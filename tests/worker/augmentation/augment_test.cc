#include "worker/augmentation/augment.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/temporary_folder.h"
#include "worker/augmentation/sample.h"

namespace ranksweep::worker {
namespace {

using sweeps::Augmentation;
using sweeps::FillMode;

constexpr const char* kReference =
    RANKSWEEP_SOURCE_DIR "/tests/worker/augmentation/reference/keras_transforms.json";

// A batch of `count` images with the values of a linear congruential generator.
torch::Tensor noise(std::int64_t count, std::int64_t height, std::int64_t width) {
  torch::Tensor pixels = torch::empty({count, height, width, 3}, torch::kUInt8);
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < pixels.numel(); ++i) {
    state = state * 1664525 + 1013904223;
    pixels.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(state >> 24);
  }
  return pixels;
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat32) - b.to(torch::kFloat32)).abs().max().item<double>();
}

torch::Tensor apply(const torch::Tensor& pixels, const TransformParameters& parameters,
                    FillMode fill_mode = FillMode::nearest, double fill_value = 0) {
  const std::vector<TransformParameters> all(static_cast<std::size_t>(pixels.size(0)), parameters);
  return apply_transforms(pixels, all, fill_mode, fill_value);
}

Augmentation everything() {
  return {.rotation = 30,
          .width_shift = 0.2,
          .height_shift = 0.2,
          .shear = 10,
          .zoom = {0.8, 1.2},
          .brightness = {0.7, 1.3},
          .channel_shift = 20,
          .horizontal_flip = true,
          .vertical_flip = true};
}

TransformParameters parameters_from(const nlohmann::json& json) {
  return {.theta = json.value("theta", 0.0),
          .tx = json.value("tx", 0.0),
          .ty = json.value("ty", 0.0),
          .shear = json.value("shear", 0.0),
          .zx = json.value("zx", 1.0),
          .zy = json.value("zy", 1.0),
          .flip_horizontal = json.value("flip_horizontal", false),
          .flip_vertical = json.value("flip_vertical", false),
          .channel_shift = json.value("channel_shift_intensity", 0.0),
          .brightness = json.value("brightness", 1.0)};
}

FillMode fill_mode_from(const std::string& name) {
  return name == "constant"  ? FillMode::constant
         : name == "reflect" ? FillMode::reflect
         : name == "wrap"    ? FillMode::wrap
                             : FillMode::nearest;
}

TEST(Augment, AgreesWithKeras) {
  const nlohmann::json reference = nlohmann::json::parse(std::ifstream(kReference));
  const std::int64_t size = reference["size"];
  for (const auto& test_case : reference["cases"]) {
    const std::vector<float> expected = test_case["pixels"];
    const TransformParameters parameters = parameters_from(test_case["parameters"]);
    const torch::Tensor result =
        apply(noise(1, size, size), parameters, fill_mode_from(test_case["fill_mode"]),
              reference["fill_value"]);
    // Keras brightens images of whole numbers.
    const double tolerance = parameters.brightness == 1 ? 0.01 : 2;
    EXPECT_LE(largest_difference(result, torch::tensor(expected).view({1, size, size, 3})),
              tolerance)
        << test_case["fill_mode"] << test_case["parameters"];
  }
}

TEST(Augment, TheReferenceIsWhatKerasSays) {
  const std::string python = RANKSWEEP_SOURCE_DIR "/.venv-tests/bin/python";
  setenv("KERAS_BACKEND", "torch", 1);
  if (std::system((python + " -c 'import keras, scipy, torch' >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << python << " has no keras, scipy and torch";
  }
  const TemporaryFolder folder;
  const std::string script =
      RANKSWEEP_SOURCE_DIR "/tests/worker/augmentation/reference/make_reference.py";
  const std::string output = (folder.path() / "reference.json").string();
  ASSERT_EQ(std::system((python + " " + script + " " + output).c_str()), 0);
  const auto made = nlohmann::json::parse(std::ifstream(output));
  const auto stored = nlohmann::json::parse(std::ifstream(kReference));
  ASSERT_EQ(made["cases"].size(), stored["cases"].size());
  for (std::size_t i = 0; i < made["cases"].size(); ++i) {
    EXPECT_EQ(made["cases"][i]["parameters"], stored["cases"][i]["parameters"]);
    const std::vector<float> a = made["cases"][i]["pixels"], b = stored["cases"][i]["pixels"];
    EXPECT_LE(largest_difference(torch::tensor(a), torch::tensor(b)), 0.01) << i;
  }
}

// A GPU samples by grid_sample; here it runs on the CPU, beside the CPU's own way.
TEST(Sample, TheWayOfOtherDevicesGivesTheSame) {
  const torch::Tensor pixels = noise(4, 23, 31);
  std::vector<std::array<double, 6>> maps;
  for (int i = 0; i < 4; ++i) {
    maps.push_back(affine_map({.theta = 31.0 * i - 40,
                               .tx = 7.3 * i - 11,
                               .ty = 5.1 - 4.2 * i,
                               .shear = 6,
                               .zx = 0.6 + 0.3 * i,
                               .zy = 1.1,
                               .flip_horizontal = i == 2},
                              23, 31));
  }
  for (const FillMode mode :
       {FillMode::nearest, FillMode::constant, FillMode::reflect, FillMode::wrap}) {
    EXPECT_LE(
        largest_difference(sample(pixels, maps, mode, 99), sample_by_grid(pixels, maps, mode, 99)),
        0.05)
        << static_cast<int>(mode);
  }
}

TEST(Augment, NoneChangesNothing) {
  const torch::Tensor pixels = noise(3, 10, 14);
  const std::vector<std::int64_t> images = {4, 5, 6};
  EXPECT_TRUE(torch::equal(augment(pixels, images, 1, {}, 0), pixels.to(torch::kFloat32)));
}

TEST(Augment, FlipsMoveWholePixels) {
  const torch::Tensor pixels = noise(2, 9, 12);
  EXPECT_TRUE(
      torch::equal(apply(pixels, {.flip_horizontal = true}), pixels.flip({2}).to(torch::kFloat32)));
  EXPECT_TRUE(
      torch::equal(apply(pixels, {.flip_vertical = true}), pixels.flip({1}).to(torch::kFloat32)));
}

TEST(Augment, SampledFlipsAreTheSameAsMovedOnes) {
  const torch::Tensor pixels = noise(1, 9, 12);
  const TransformParameters barely = {.theta = 1e-9, .flip_horizontal = true};
  EXPECT_LE(largest_difference(apply(pixels, barely), pixels.flip({2})), 0.05);
}

TEST(Augment, ShiftsRowsAndColumnsTheRightWay) {
  const torch::Tensor pixels = noise(1, 9, 12);
  using torch::indexing::Slice;
  const torch::Tensor left = apply(pixels, {.tx = 2});
  EXPECT_LE(largest_difference(left.index({Slice(), Slice(), Slice(0, 10)}),
                               pixels.index({Slice(), Slice(), Slice(2, 12)})),
            0.01);
  const torch::Tensor up = apply(pixels, {.ty = 3}, FillMode::constant, 77);
  EXPECT_LE(
      largest_difference(up.index({Slice(), Slice(0, 6)}), pixels.index({Slice(), Slice(3, 9)})),
      0.01);
  EXPECT_TRUE((up.index({Slice(), Slice(6, 9)}) == 77).all().item<bool>());
}

TEST(Augment, AQuarterTurnForthAndBackIsTheIdentityAboutTheCentre) {
  const torch::Tensor pixels = noise(1, 11, 11);
  const torch::Tensor back = apply(apply(pixels, {.theta = 90}), {.theta = -90});
  EXPECT_LE(largest_difference(back, pixels), 0.05);
}

TEST(Augment, ShiftsOfWholePixelsUndoEachOtherWhereNothingIsLost) {
  const torch::Tensor pixels = noise(1, 16, 20);
  const torch::Tensor back = apply(apply(pixels, {.tx = 3, .ty = -2}), {.tx = -3, .ty = 2});
  using torch::indexing::Slice;
  const auto inner = [](const torch::Tensor& t) {
    return t.index({Slice(), Slice(3, 13), Slice(4, 16)});
  };
  EXPECT_LE(largest_difference(inner(back), inner(pixels)), 0.05);
}

TEST(Augment, StaysWithinTheImagesValues) {
  const torch::Tensor pixels = noise(8, 20, 20);
  const std::vector<std::int64_t> images = {0, 1, 2, 3, 4, 5, 6, 7};
  for (const FillMode mode :
       {FillMode::nearest, FillMode::constant, FillMode::reflect, FillMode::wrap}) {
    Augmentation augmentation = everything();
    augmentation.fill_mode = mode;
    const torch::Tensor result = augment(pixels, images, 3, augmentation, 11);
    EXPECT_GE(result.min().item<double>(), 0);
    EXPECT_LE(result.max().item<double>(), 255);
    EXPECT_TRUE(torch::isfinite(result).all().item<bool>());
  }
}

TEST(Augment, AnImageDoesNotDependOnItsBatch) {
  const torch::Tensor pixels = noise(6, 17, 19);
  const std::vector<std::int64_t> images = {10, 11, 12, 13, 14, 15};
  const torch::Tensor whole = augment(pixels, images, 2, everything(), 5);
  const std::vector<std::int64_t> order = {3, 0, 5};
  const std::vector<std::int64_t> some = {13, 10, 15};
  const torch::Tensor index = torch::tensor(order);
  EXPECT_TRUE(torch::equal(augment(pixels.index_select(0, index), some, 2, everything(), 5),
                           whole.index_select(0, index)));
  const std::vector<std::int64_t> single = {14};
  EXPECT_TRUE(torch::equal(augment(pixels.slice(0, 4, 5), single, 2, everything(), 5),
                           whole.slice(0, 4, 5)));
}

TEST(Augment, DependsOnSeedEpochAndImage) {
  const torch::Tensor pixels = noise(1, 16, 16);
  const auto result = [&](std::int64_t image, std::int64_t epoch, std::int64_t seed) {
    const std::vector<std::int64_t> images = {image};
    return augment(pixels, images, epoch, everything(), seed);
  };
  EXPECT_TRUE(torch::equal(result(1, 1, 1), result(1, 1, 1)));
  EXPECT_FALSE(torch::equal(result(1, 1, 1), result(2, 1, 1)));
  EXPECT_FALSE(torch::equal(result(1, 1, 1), result(1, 2, 1)));
  EXPECT_FALSE(torch::equal(result(1, 1, 1), result(1, 1, 2)));
}

TEST(Augment, TakesBytesAndFloatsAlike) {
  const torch::Tensor pixels = noise(2, 16, 16);
  const std::vector<std::int64_t> images = {0, 1};
  EXPECT_TRUE(torch::equal(augment(pixels, images, 1, everything(), 0),
                           augment(pixels.to(torch::kFloat32), images, 1, everything(), 0)));
}

}  // namespace
}  // namespace ranksweep::worker
