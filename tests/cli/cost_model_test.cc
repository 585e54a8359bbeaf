#include "tools/cli/cost_model.h"

#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

using sweeps::TrialSpec;

// Asks the real trainer what the networks are like.
std::vector<TrialCost> costs_of(const std::vector<TrialSpec>& specs) {
  sweeps::Plan plan;
  for (const TrialSpec& spec : specs) plan.trials.push_back({.id = {}, .spec = spec});
  return estimate_costs(plan, 700, 100, std::string(RANKSWEEP_BIN_DIR) + "/ranksweep-trainer");
}

TrialSpec frozen(double learning_rate) {
  TrialSpec spec;
  spec.architecture = "resnet50";
  spec.training = sweeps::TrainingMode::frozen;
  spec.learning_rate = learning_rate;
  return spec;
}

TEST(CostModel, ChargesTheFirstOfTheTrialsThatShareAFrozenBase) {
  const auto costs = costs_of({frozen(1e-3), frozen(1e-4), frozen(1e-5)});
  EXPECT_GT(costs[1].multiply_adds, 0);
  EXPECT_EQ(costs[1].multiply_adds, costs[2].multiply_adds);
  EXPECT_GT(costs[0].multiply_adds, 20 * costs[1].multiply_adds);
  EXPECT_GT(costs[0].checkpoint_bytes, 5 * costs[1].checkpoint_bytes);
}

TEST(CostModel, ChargesEachBaseThatHasToRun) {
  TrialSpec augmented = frozen(1e-3);
  augmented.augmentation.rotation = 20;
  TrialSpec other_seed = frozen(1e-3);
  other_seed.seed = 1;  // other random weights
  TrialSpec larger = frozen(1e-3);
  larger.image_size = {160, 160};
  const auto costs = costs_of({frozen(1e-3), augmented, other_seed, larger});
  EXPECT_EQ(costs[0].multiply_adds, costs[2].multiply_adds);
  EXPECT_GT(costs[3].multiply_adds, costs[0].multiply_adds);
  // Thirty passes over 700 images and one over 100, to one over all of them.
  EXPECT_NEAR(costs[1].multiply_adds / costs[0].multiply_adds, 21100. / 800, 1);
}

TEST(CostModel, ChargesTheEpochsThatTrainTheBase) {
  TrialSpec full = frozen(1e-3);
  full.training = sweeps::TrainingMode::full;
  TrialSpec thawed = frozen(1e-3);
  thawed.unfreeze_at_epoch = 16;
  const auto costs = costs_of({full, thawed, frozen(1e-3)});
  EXPECT_NEAR(costs[1].multiply_adds / costs[0].multiply_adds, 0.5, 0.03);
  EXPECT_LT(costs[2].multiply_adds, 0.01 * costs[0].multiply_adds);  // shares the thawed one's pass
}

}  // namespace
}  // namespace ranksweep::cli
