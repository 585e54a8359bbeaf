#include "sweeps/plan.h"

#include <gmock/gmock.h>

#include "sweeps/trial_parameters.h"

namespace ranksweep::sweeps {
namespace {

using ::testing::ElementsAre;

Plan plan_of(const std::string& rest) {
  return make_plan(parse_sweep_file("name: test\ndata: {path: faces}\n" + rest, "test.yaml"),
                   "data");
}

std::vector<std::string> descriptions(const Plan& plan) {
  std::vector<std::string> texts;
  for (const PlannedTrial& trial : plan.trials) texts.push_back(describe(trial.spec, plan.swept));
  return texts;
}

TEST(Plan, HasTheTrialsInTheGridsOrderWithTheirIdentities) {
  const Plan plan = plan_of("grid: {seed: [2, 1], architecture: [resnet50, simple_cnn]}");
  EXPECT_EQ(plan.sweep_name, "test");
  EXPECT_EQ(plan.data_fingerprint, "data");
  EXPECT_THAT(plan.swept, ElementsAre("architecture", "seed"));
  EXPECT_THAT(descriptions(plan), ElementsAre("resnet50 seed=2", "simple_cnn seed=2",
                                              "resnet50 seed=1", "simple_cnn seed=1"));
  for (const PlannedTrial& trial : plan.trials) {
    EXPECT_EQ(trial.id, identify(trial.spec, "data"));
  }
}

TEST(Describe, GivesTheValuesOfSweptParametersInShortForm) {
  TrialSpec spec;
  spec.architecture = "resnet50";
  spec.training = TrainingMode::frozen;
  spec.augmentation = *find_augmentation_preset("flip");
  EXPECT_EQ(describe(spec, {"learning_rate", "architecture", "augmentation", "training"}),
            "resnet50 frozen lr=0.001 flip");
}

TEST(Describe, FallsBackOnTheArchitecture) {
  TrialSpec spec;
  spec.architecture = "resnet50";
  EXPECT_EQ(describe(spec, {}), "resnet50");
}

TEST(Describe, TellsWhatDiffersInsideAMapping) {
  const Plan plan = plan_of(R"(
grid:
  architecture: simple_cnn
  augmentation: [{rotation: 20, zoom: 0.2}]
  head: [{pooling: max}, {dense: []}, {dense: [64, 32]}, {}]
training: {epochs: 5}
include:
  - {architecture: simple_cnn, augmentation: none, schedule: {kind: step, every: 3}}
  - {architecture: simple_cnn, early_stopping: {patience: 3}, frozen_until: block2}
  - {architecture: simple_cnn, early_stopping: false, class_weights: [1, 2.5], momentum: 0.9}
)");
  const Plan one = plan_of("grid: {architecture: simple_cnn, image_size: [64, [64, 96]]}");
  EXPECT_THAT(descriptions(one), ElementsAre("image_size=64x64", "image_size=64x96"));
  EXPECT_THAT(
      descriptions(plan),
      ElementsAre("frozen_until=none rotation:20,zoom:0.8-1.2 momentum=0 early_stopping=default "
                  "constant class_weights=none head=pooling:max",
                  "frozen_until=none rotation:20,zoom:0.8-1.2 momentum=0 early_stopping=default "
                  "constant class_weights=none head=dense:none",
                  "frozen_until=none rotation:20,zoom:0.8-1.2 momentum=0 early_stopping=default "
                  "constant class_weights=none head=dense:64-32",
                  "frozen_until=none rotation:20,zoom:0.8-1.2 momentum=0 early_stopping=default "
                  "constant class_weights=none head=default",
                  "frozen_until=none none momentum=0 early_stopping=default step,every:3 "
                  "class_weights=none head=default",
                  "frozen_until=block2 none momentum=0 early_stopping=patience:3 constant "
                  "class_weights=none head=default",
                  "frozen_until=none none momentum=0.9 early_stopping=false constant "
                  "class_weights=1-2.5 head=default"));
}

}  // namespace
}  // namespace ranksweep::sweeps
