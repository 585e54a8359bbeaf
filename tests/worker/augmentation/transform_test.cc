#include "worker/augmentation/transform.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>

namespace ranksweep::worker {
namespace {

using sweeps::Augmentation;

constexpr int kDraws = 4000;

std::vector<TransformParameters> draw_many(const Augmentation& augmentation) {
  std::vector<TransformParameters> draws;
  for (int i = 0; i < kDraws; ++i) {
    draws.push_back(draw_transform(augmentation, 1, 1 + i / 1000, i % 1000, 100, 200));
  }
  return draws;
}

// Checks that a parameter lies in [low, high], comes near both ends, and has its mean in the
// middle.
template <typename Get>
void expect_uniform(const std::vector<TransformParameters>& draws, Get get, double low,
                    double high) {
  double sum = 0, least = high, most = low;
  for (const TransformParameters& draw : draws) {
    sum += get(draw);
    least = std::min(least, static_cast<double>(get(draw)));
    most = std::max(most, static_cast<double>(get(draw)));
  }
  const double range = high - low;
  EXPECT_GE(least, low);
  EXPECT_LE(most, high);
  EXPECT_LE(least, low + 0.01 * range);
  EXPECT_GE(most, high - 0.01 * range);
  EXPECT_NEAR(sum / kDraws, (low + high) / 2, 0.02 * range);
}

TEST(DrawTransform, FillsEachRangeEvenly) {
  const Augmentation augmentation = {.rotation = 30,
                                     .width_shift = 0.1,
                                     .height_shift = 0.2,
                                     .shear = 10,
                                     .zoom = {0.8, 1.4},
                                     .brightness = {0.5, 1.1},
                                     .channel_shift = 20,
                                     .horizontal_flip = true,
                                     .vertical_flip = true};
  const auto draws = draw_many(augmentation);
  using T = TransformParameters;
  expect_uniform(
      draws, [](const T& t) { return t.theta; }, -30, 30);
  expect_uniform(
      draws, [](const T& t) { return t.tx; }, -20, 20);  // of 200 columns
  expect_uniform(
      draws, [](const T& t) { return t.ty; }, -20, 20);  // of 100 rows
  expect_uniform(
      draws, [](const T& t) { return t.shear; }, -10, 10);
  expect_uniform(
      draws, [](const T& t) { return t.zx; }, 0.8, 1.4);
  expect_uniform(
      draws, [](const T& t) { return t.zy; }, 0.8, 1.4);
  expect_uniform(
      draws, [](const T& t) { return t.channel_shift; }, -20, 20);
  expect_uniform(
      draws, [](const T& t) { return t.brightness; }, 0.5, 1.1);
  expect_uniform(
      draws, [](const T& t) { return t.flip_horizontal; }, 0, 1);
  expect_uniform(
      draws, [](const T& t) { return t.flip_vertical; }, 0, 1);
}

TEST(DrawTransform, DrawsNothingFromNoAugmentation) {
  for (const TransformParameters& draw : draw_many({})) {
    EXPECT_EQ(draw, TransformParameters{});
  }
}

TEST(DrawTransform, ARangeSwitchedOnLeavesTheOthersAsTheyWere) {
  const Augmentation less = {.rotation = 30, .horizontal_flip = true};
  Augmentation more = less;
  more.zoom = {0.5, 1.5};
  more.width_shift = 0.3;
  const TransformParameters a = draw_transform(less, 3, 2, 1, 50, 50);
  const TransformParameters b = draw_transform(more, 3, 2, 1, 50, 50);
  EXPECT_EQ(a.theta, b.theta);
  EXPECT_EQ(a.flip_horizontal, b.flip_horizontal);
  EXPECT_NE(a.zx, b.zx);
}

// Guards the numbers themselves: another draw would be another experiment under the same identity.
TEST(DrawTransform, DrawsTheSameNumbersForEver) {
  const Augmentation augmentation = {.rotation = 30, .zoom = {0.8, 1.2}, .horizontal_flip = true};
  const TransformParameters draw = draw_transform(augmentation, 7, 3, 42, 150, 150);
  EXPECT_NEAR(draw.theta, -9.859762252512, 1e-10);
  EXPECT_NEAR(draw.zx, 0.935030375259, 1e-10);
  EXPECT_NEAR(draw.zy, 1.167279126421, 1e-10);
  EXPECT_FALSE(draw.flip_horizontal);
}

TEST(AffineMap, KeepsTheCentreOfAnyShapeUnderRotationAndZoom) {
  const auto m =
      affine_map({.theta = 33, .shear = 5, .zx = 0.7, .zy = 1.2, .flip_vertical = true}, 9, 21);
  EXPECT_NEAR(m[0] * 10 + m[1] * 4 + m[2], 10, 1e-12);
  EXPECT_NEAR(m[3] * 10 + m[4] * 4 + m[5], 4, 1e-12);
}

}  // namespace
}  // namespace ranksweep::worker
