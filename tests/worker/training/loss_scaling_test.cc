#include "worker/training/loss_scaling.h"

#include <limits>

#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

std::vector<torch::Tensor> gradients_of(double value, const LossScaling& scaling) {
  return {torch::full({3}, value * scaling.scale().factor), torch::full({2, 2}, 0.5)};
}

TEST(LossScaling, IsOfFloat16Alone) {
  LossScaling scaling(sweeps::Precision::bfloat16);
  std::vector<torch::Tensor> gradients = {torch::full({2}, std::numeric_limits<float>::infinity())};
  EXPECT_EQ(scaling.scale().factor, 1);
  EXPECT_TRUE(scaling.unscale(gradients));  // the step is the trial's to take
  EXPECT_EQ(scaling.scale().steps, 0);
}

TEST(LossScaling, TakesTheFactorOutAgain) {
  LossScaling scaling(sweeps::Precision::float16);
  EXPECT_EQ(scaling.scale().factor, 65536);
  const std::vector<torch::Tensor> gradients = gradients_of(0.25, scaling);
  EXPECT_TRUE(scaling.unscale(gradients));
  EXPECT_TRUE(gradients[0].eq(0.25).all().item<bool>());
  EXPECT_TRUE(gradients[1].eq(0.5 / 65536).all().item<bool>());
}

TEST(LossScaling, HalvesTheFactorWhenAGradientIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    LossScaling scaling(sweeps::Precision::float16);
    scaling.restore({.factor = 1024, .steps = 7});
    const std::vector<torch::Tensor> gradients = gradients_of(0.25, scaling);
    gradients[1][1][0] = bad;
    EXPECT_FALSE(scaling.unscale(gradients));
    EXPECT_EQ(scaling.scale().factor, 512);
    EXPECT_EQ(scaling.scale().steps, 0);
  }
}

TEST(LossScaling, DoublesTheFactorAfterTwoThousandSteps) {
  LossScaling scaling(sweeps::Precision::float16);
  scaling.restore({.factor = 1024, .steps = 1998});
  scaling.unscale(gradients_of(1, scaling));
  EXPECT_EQ(scaling.scale().factor, 1024);
  scaling.unscale(gradients_of(1, scaling));
  EXPECT_EQ(scaling.scale().factor, 2048);
  EXPECT_EQ(scaling.scale().steps, 0);
}

}  // namespace
}  // namespace ranksweep::worker
