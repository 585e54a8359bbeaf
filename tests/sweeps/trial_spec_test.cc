#include "sweeps/trial_spec.h"

#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "sweeps/identifier.h"
#include "sweeps/trial_parameters.h"
#include "sweeps/trial_values.h"
#include "tests/sweeps/random_spec.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TrialSpec resnet50() {
  TrialSpec spec;
  spec.architecture = "resnet50";
  return spec;
}

TEST(CanonicalJson, HasEveryParameterWithItsDefault) {
  const json expected = json::parse(R"({
    "architecture": "resnet50", "training": "full", "learning_rate": 0.001,
    "base_learning_rate": null, "frozen_until": null, "unfreeze_at_epoch": null,
    "augmentation": "none", "optimizer": "rmsprop", "momentum": 0.0, "weight_decay": 0.0,
    "batch_size": 10, "epochs": 30, "early_stopping": {"patience": 10, "min_delta": 0.0},
    "schedule": {"kind": "constant"}, "label_smoothing": 0.0, "class_weights": "none",
    "head": {"pooling": "average", "dense": [256]}, "dropout": 0.5, "seed": 0, "data_seed": 0,
    "image_size": [150, 150], "normalization": null, "weights": null, "weights_hash": null,
    "precision": "float32", "memory_format": "auto", "devices": 1,
    "sync_batch_norm": false})");
  EXPECT_EQ(to_canonical_json(resnet50()), expected);
}

TEST(CanonicalJson, NamesAnAugmentationThatEqualsAPreset) {
  TrialSpec spec = resnet50();
  spec.augmentation.horizontal_flip = true;
  EXPECT_EQ(to_canonical_json(spec).at("augmentation"), "flip");
  spec.augmentation.rotation = 1;
  EXPECT_EQ(to_canonical_json(spec).at("augmentation").at("rotation"), 1.0);
}

TEST(CanonicalJson, RoundTripsRandomTrials) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const TrialSpec spec = testing::random_spec(random);
    const json canonical = to_canonical_json(spec);
    const TrialSpec again = trial_spec_from_json(json::parse(canonical.dump()));
    ASSERT_TRUE(again == spec) << canonical.dump(2);
    ASSERT_EQ(to_canonical_json(again), canonical);
  }
}

TEST(TrialSpecFromJson, FillsInDefaults) {
  EXPECT_EQ(trial_spec_from_json({{"architecture", "resnet50"}}), resnet50());
}

TEST(TrialSpecFromJson, NamesEveryWrongParameter) {
  const json wrong = {{"architecture", "resnet50"},
                      {"learning_rate", -1},
                      {"epochs", 2.5},
                      {"head", {{"pooling", "average"}, {"dense", {1, "two"}}}},
                      {"sed", 3}};
  EXPECT_THAT([&] { trial_spec_from_json(wrong); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("learning_rate must be a number > 0; found `-1`"),
                        HasSubstr("epochs must be a whole number"), HasSubstr("head.dense[1]"),
                        HasSubstr("no parameter `sed`; did you mean `seed`?"))));
}

TEST(TrialSpecFromJson, RefusesWhatIsNoTrial) {
  for (const json& wrong : {json(), json(3), json::array(), json::object(), json("resnet50"),
                            json{{"architecture", nullptr}}, json{{"architecture", "lenet"}}}) {
    EXPECT_THROW(trial_spec_from_json(wrong), std::invalid_argument) << wrong;
  }
}

// These must never change: a database would no longer know its own trials. A parameter that a later
// version adds is left out of the hash where it has the value that earlier versions meant.
TEST(Identity, IsTheOneOfEarlierVersions) {
  EXPECT_EQ(identify(resnet50(), "data").hex(), "288d6b14ffdbcc7bfd1a69b3ce13ecab");
  TrialSpec spec = resnet50();
  spec.training = TrainingMode::frozen;
  spec.learning_rate = 3e-4;
  spec.augmentation.rotation = 12.5;
  spec.augmentation.zoom = {0.8, 1.2};
  spec.optimizer = Optimizer::adamw;
  spec.early_stopping.reset();
  spec.schedule = CosineSchedule{2, 0.01};
  spec.class_weights = {1, 2.5};
  spec.head = {Pooling::flatten, {64, 32}};
  spec.seed = 123456789012345;
  spec.normalization = Normalization::caffe;
  spec.weights = "/anywhere/w.safetensors";
  spec.weights_hash = hash_hex("w");
  EXPECT_EQ(identify(spec, "data").hex(), "4f6f225a71b3d4d6f54bed8196916e3d");
}

TEST(Identity, TellsTrialsOnSeveralDevicesApart) {
  TrialSpec one = resnet50();
  TrialSpec two = one;
  two.devices = 2;
  TrialSpec synchronised = two;
  synchronised.sync_batch_norm = true;
  EXPECT_NE(identify(one, "data"), identify(two, "data"));
  EXPECT_NE(identify(two, "data"), identify(synchronised, "data"));
}

TEST(Identity, TakesTheContentOfWeightsAndNotTheirPath) {
  TrialSpec here = resnet50();
  here.weights = "/here/w.safetensors";
  here.weights_hash = hash_hex("content");
  TrialSpec there = here;
  there.weights = "/there/v.safetensors";
  EXPECT_EQ(identify(here, "data"), identify(there, "data"));
  there.weights_hash = hash_hex("other content");
  EXPECT_NE(identify(here, "data"), identify(there, "data"));
}

TEST(Identity, TakesTheData) {
  EXPECT_NE(identify(resnet50(), "data"), identify(resnet50(), "other data"));
}

TEST(Identity, TellsEveryParameterApart) {
  std::mt19937_64 random(11);
  std::set<TrialId> ids = {identify(resnet50(), "data")};
  for (const TrialParameter& parameter : trial_parameters()) {
    Trial spec = resnet50();
    for (int tries = 0; parameter.equal(spec, resnet50()) && tries < 1000; ++tries) {
      parameter.copy(spec, testing::random_spec(random));
    }
    EXPECT_TRUE(ids.insert(identify(spec, "data")).second) << parameter.name;
  }
}

TEST(Identity, IsTheHashOfTheCanonicalFormAlsoForTrialsInARow) {
  std::mt19937_64 random(5);
  Identifier identifier("data");
  Trial spec = testing::random_spec(random);
  for (int i = 0; i < 500; ++i) {
    const Trial other = testing::random_spec(random);
    for (const TrialParameter& parameter : trial_parameters()) {
      if (random() % 4 == 0) parameter.copy(spec, other);
    }
    json canonical = to_canonical_json(spec);
    canonical.erase("weights");
    if (canonical["devices"] == 1) canonical.erase("devices");
    if (canonical["sync_batch_norm"] == false) canonical.erase("sync_batch_norm");
    ASSERT_EQ(identifier.identify(spec).hex(), hash_hex(canonical.dump() + "\ndata"));
    ASSERT_EQ(identifier.identify(spec), identify(spec, "data"));
  }
}

TEST(Identity, DoesNotTellMinusZeroFromZero) {
  TrialSpec spec = resnet50();
  spec.momentum = -0.0;
  EXPECT_EQ(identify(spec, "data"), identify(resnet50(), "data"));
}

TEST(TrialParameters, CopyAndEqualLookAtTheirOwnParameterAlone) {
  std::mt19937_64 random(3);
  for (const TrialParameter& parameter : trial_parameters()) {
    const Trial from = testing::random_spec(random);
    // Such a trial's weights are its architecture's, and no parameter of their own.
    if (parameter.name == "weights" && is_torchscript(from.architecture)) continue;
    Trial to = resnet50();
    parameter.copy(to, from);
    EXPECT_TRUE(parameter.equal(to, from)) << parameter.name;
    for (const TrialParameter& other : trial_parameters()) {
      if (other.name != parameter.name) {
        EXPECT_TRUE(other.equal(to, resnet50())) << parameter.name << " changes " << other.name;
      }
    }
  }
}

TEST(AugmentationPresets, AreKnownByName) {
  EXPECT_EQ(*find_augmentation_preset("none"), Augmentation{});
  EXPECT_TRUE(find_augmentation_preset("flip")->horizontal_flip);
  EXPECT_EQ(find_augmentation_preset("heavy"), nullptr);
  for (const std::string& name : augmentation_preset_names()) {
    EXPECT_EQ(encode(*find_augmentation_preset(name)), name);
  }
}

}  // namespace
}  // namespace ranksweep::sweeps
