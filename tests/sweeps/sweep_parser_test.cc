#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sweeps/plan.h"
#include "sweeps/sweep_spec.h"
#include "sweeps/trial_parameters.h"
#include "tests/temporary_folder.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kHead = "name: test\ndata: {path: faces}\n";
const std::filesystem::path kSource = RANKSWEEP_SOURCE_DIR;

SweepSpec parse(const std::string& rest) { return parse_sweep(kHead + rest, "/sweeps/test.yaml"); }

std::string mistakes(const std::string& rest) {
  try {
    parse(rest);
    return "";
  } catch (const SweepError& error) {
    return error.what();
  }
}

std::vector<std::string> descriptions(const SweepSpec& sweep) {
  std::vector<std::string> texts;
  for (const TrialSpec& spec : sweep.trials) texts.push_back(describe(spec, sweep.swept));
  return texts;
}

std::set<TrialId> identities(const SweepSpec& sweep) {
  std::set<TrialId> ids;
  for (const TrialSpec& spec : sweep.trials) ids.insert(identify(spec, "data"));
  return ids;
}

// A parameter's value as a sweep file has it, and its canonical form.
struct Example {
  std::string parameter;
  std::string yaml;
  std::string canonical;
  std::string besides = "";  // other defaults, without which the value would contradict
};

const std::vector<Example> kExamples = {
    {"architecture", "inception_v3", R"("inception_v3")"},
    {"training", "frozen", R"("frozen")"},
    {"learning_rate", "1e-4", "0.0001"},
    {"learning_rate", "1", "1.0"},
    {"base_learning_rate", "1e-5", "1e-05"},
    {"base_learning_rate", "none", "null"},
    {"frozen_until", "layer4", R"("layer4")"},
    {"frozen_until", "~", "null"},
    {"unfreeze_at_epoch", "5", "5", "training: frozen"},
    {"augmentation", "standard", R"("standard")"},
    {"augmentation", "{horizontal_flip: true}", R"("flip")"},
    {"augmentation", "{}", R"("none")"},
    {"augmentation",
     "{rotation: 20, width_shift: 0.1, height_shift: 0.2, shear: 5, zoom: 0.2, brightness: [0.5, "
     "1.5], channel_shift: 10, horizontal_flip: true, vertical_flip: true, fill_mode: constant, "
     "fill_value: 128}",
     R"({"rotation": 20.0, "width_shift": 0.1, "height_shift": 0.2, "shear": 5.0,
         "zoom": [0.8, 1.2], "brightness": [0.5, 1.5], "channel_shift": 10.0,
         "horizontal_flip": true, "vertical_flip": true, "fill_mode": "constant",
         "fill_value": 128.0})"},
    {"optimizer", "adamw", R"("adamw")"},
    {"momentum", "0.9", "0.9"},
    {"weight_decay", "1e-4", "0.0001"},
    {"batch_size", "32", "32"},
    {"epochs", "5", "5"},
    {"early_stopping", "false", "false"},
    {"early_stopping", "{patience: 3}", R"({"patience": 3, "min_delta": 0.0})"},
    {"schedule", "cosine", R"({"kind": "cosine", "warmup_epochs": 0, "minimum": 0.0})"},
    {"schedule", "{kind: step, every: 7}", R"({"kind": "step", "every": 7, "factor": 0.1})"},
    {"schedule", "{kind: plateau, patience: 2, factor: 0.5, min_delta: 0}",
     R"({"kind": "plateau", "patience": 2, "factor": 0.5, "min_delta": 0.0})"},
    {"label_smoothing", "0.1", "0.1"},
    {"class_weights", "balanced", R"("balanced")"},
    {"class_weights", "[1, 2.5]", "[1.0, 2.5]"},
    {"head", "{pooling: flatten, dense: [512, 128]}",
     R"({"pooling": "flatten", "dense": [512, 128]})"},
    {"head", "{dense: []}", R"({"pooling": "average", "dense": []})"},
    {"dropout", "0", "0.0"},
    {"seed", "9223372036854775807", "9223372036854775807"},
    {"weights", "none", "null"},
    {"precision", "bfloat16", R"("bfloat16")"},
    {"memory_format", "channels_last", R"("channels_last")"},
    {"devices", "2", "2"},
    {"sync_batch_norm", "true", "true"},
    {"image_size", "224", "[224, 224]"},
    {"image_size", "[96, 128]", "[96, 128]"},
    {"normalization", "caffe", R"("caffe")"},
    {"normalization", "auto", "null"},
    {"data_seed", "3", "3"},
};

TEST(SweepParser, TheExamplesAreOfEveryParameter) {
  std::set<std::string> names;
  for (const Example& example : kExamples) names.insert(example.parameter);
  for (const std::string& name : trial_parameter_names()) EXPECT_TRUE(names.contains(name)) << name;
}

TEST(SweepParser, TakesEveryParameterInGridAndIncludeAndItsBlock) {
  for (const Example& example : kExamples) {
    const TrialParameter& parameter = *find_trial_parameter(example.parameter);
    const std::string defaults = "training: {" + example.besides + "}\n";
    const std::string architecture =
        example.parameter == "architecture" ? "" : "architecture: resnet50, ";
    const std::string entry = "{" + architecture + example.parameter + ": " + example.yaml + "}";
    const std::string listed = "{" + architecture + example.parameter + ": [" + example.yaml + "]}";
    const json expected = json::parse(example.canonical);
    for (const std::string& rest :
         {defaults + "grid: " + listed, defaults + "include: [" + entry + "]"}) {
      const SweepSpec sweep = parse(rest);
      ASSERT_EQ(sweep.trials.size(), 1U) << rest;
      EXPECT_EQ(parameter.get(sweep.trials[0]), expected) << rest;
    }
    const std::string block = parameter.block == Block::data
                                  ? "name: t\ndata: {path: faces, " + parameter.block_name + ": " +
                                        example.yaml + "}\ntraining: {architecture: resnet50}"
                                  : "name: t\ndata: {path: faces}\ntraining: {" + architecture +
                                        example.besides + (example.besides.empty() ? "" : ", ") +
                                        example.parameter + ": " + example.yaml + "}";
    EXPECT_EQ(parameter.get(parse_sweep(block, "t.yaml").trials.at(0)), expected) << block;
  }
}

TEST(SweepParser, ReadsTheBlocksOfDataAndExecution) {
  const SweepSpec sweep = parse_sweep(R"(
name: "héllo: \U0001F600"
data:
  path: ../images/./faces
  validation_fraction: 0.25
  split_seed: 4
  on_bad_file: skip
  on_leakage: fail
  image_size: [48, 64]
  normalization: imagenet
  seed: 9
training: {architecture: simple_cnn}
execution: {threads: 2, max_attempts: 5, checkpoint_interval: 30, silence_limit: 90.5,
            storage_patience: 0, on_out_of_memory: accumulate, cuda_graphs: true}
)",
                                      "/sweeps/test.yaml");
  EXPECT_EQ(sweep.name, "héllo: \U0001F600");
  EXPECT_EQ(sweep.file, "/sweeps/test.yaml");
  EXPECT_EQ(to_json(sweep.data), json({{"path", "/images/faces"},
                                       {"validation_fraction", 0.25},
                                       {"split_seed", 4},
                                       {"on_bad_file", "skip"},
                                       {"on_leakage", "fail"}}));
  EXPECT_EQ(sweep.trials.at(0).image_size, (std::array{48, 64}));
  EXPECT_EQ(sweep.trials.at(0).normalization, Normalization::imagenet);
  EXPECT_EQ(sweep.trials.at(0).data_seed, 9);
  EXPECT_EQ(sweep.execution.threads, 2);
  EXPECT_EQ(sweep.execution.max_attempts, 5);
  EXPECT_EQ(sweep.execution.checkpoint_interval, 30);
  EXPECT_EQ(sweep.execution.silence_limit, 90.5);
  EXPECT_EQ(sweep.execution.storage_patience, 0);
  EXPECT_EQ(sweep.execution.on_out_of_memory, Execution::OnOutOfMemory::accumulate);
  EXPECT_TRUE(sweep.execution.cuda_graphs);
}

TEST(SweepParser, PathsStartFromTheSweepFilesFolderWhereverItIsReadFrom) {
  const SweepSpec sweep = parse_sweep(kHead + "training: {architecture: simple_cnn}", "my/t.yaml");
  EXPECT_EQ(sweep.data.path, std::filesystem::current_path() / "my/faces");
}

TEST(DataSpecJson, RoundTripsAndLooksAtItsOwnMembersAlone) {
  DataSpec data;
  data.path = "/faces";
  data.validation_fraction = 0.2;
  data.on_bad_file = DataSpec::OnBadFile::skip;
  json object = to_json(data);
  object["fingerprint"] = "0123";
  EXPECT_EQ(to_json(data_spec_from_json(object)), to_json(data));
  object["validation_fraction"] = 2;
  EXPECT_THROW(data_spec_from_json(object), std::invalid_argument);
  EXPECT_THROW(data_spec_from_json({{"split_seed", 1}}), std::invalid_argument);
  EXPECT_THROW(data_spec_from_json("faces"), std::invalid_argument);
}

TEST(Expansion, TurnsTheLastParameterFastest) {
  EXPECT_THAT(
      descriptions(parse(R"(
grid:
  learning_rate: [0.1, 0.2]
  architecture: [simple_cnn, vgg16]
)")),
      ElementsAre("simple_cnn lr=0.1", "vgg16 lr=0.1", "simple_cnn lr=0.2", "vgg16 lr=0.2"));
}

TEST(Expansion, ExcludeRemovesPointsThatMatchAllKeys) {
  const SweepSpec sweep = parse(R"(
grid: {architecture: [simple_cnn, vgg16], augmentation: [none, flip], seed: [1, 2]}
exclude:
  - {architecture: vgg16, augmentation: {horizontal_flip: true}}
  - {seed: 2, architecture: simple_cnn}
)");
  EXPECT_THAT(descriptions(sweep), ElementsAre("simple_cnn none seed=1", "simple_cnn flip seed=1",
                                               "vgg16 none seed=1", "vgg16 none seed=2"));
  EXPECT_THAT(sweep.warnings, IsEmpty());
}

TEST(Expansion, ExcludeSeesDefaultsAndLeavesIncludedTrialsAlone) {
  const SweepSpec sweep = parse(R"(
training: {optimizer: sgd, epochs: 5}
grid: {architecture: [simple_cnn, vgg16]}
exclude: [{optimizer: sgd, architecture: vgg16}]
include: [{architecture: vgg16, learning_rate: 0.5}]
)");
  EXPECT_THAT(descriptions(sweep), ElementsAre("simple_cnn lr=0.001", "vgg16 lr=0.5"));
  EXPECT_EQ(sweep.trials[1].optimizer, Optimizer::sgd);
  EXPECT_EQ(sweep.trials[1].epochs, 5);
}

TEST(Expansion, IncludeAloneMakesNoGridPoint) {
  EXPECT_EQ(parse("include: [{architecture: vgg16}]").trials.size(), 1U);
  EXPECT_EQ(parse("training: {architecture: vgg16}").trials.size(), 1U);
}

TEST(Expansion, OnlyParametersThatVaryAreSwept) {
  const SweepSpec sweep = parse(R"(
grid: {architecture: [simple_cnn], seed: [1, 2], dropout: [0.1, 0.2]}
exclude: [{dropout: 0.2}]
)");
  EXPECT_THAT(sweep.swept, ElementsAre("seed"));
}

TEST(Expansion, MergeKeysSpareRepetition) {
  const SweepSpec sweep = parse(R"(
include:
  - &base {architecture: resnet50, training: full, epochs: 5}
  - {<<: *base, learning_rate: 0.01}
)");
  EXPECT_EQ(sweep.trials.at(1).epochs, 5);
  EXPECT_EQ(sweep.trials.at(1).learning_rate, 0.01);
}

TEST(Expansion, AMillionTrialsAreTheLimit) {
  std::string values = "0";
  for (int i = 1; i < 1000; ++i) values += ", " + std::to_string(i);
  const std::string grid = "grid: {architecture: simple_cnn, seed: [" + values + "], data_seed: [";
  EXPECT_EQ(mistakes(grid + values + ", 1000]}"),
            "/sweeps/test.yaml:3:7: the grid has more than 1000000 points; split the sweep");
}

TEST(Warnings, HaveTheirPlaceAndComeInOrder) {
  const SweepSpec sweep = parse(R"(
grid:
  architecture: [simple_cnn, resnet50, simple_cnn]
  image_size: [64, [64, 64]]
exclude:
  - {architecture: vgg16}
  - {seed: 3}
include:
  - {architecture: resnet50, image_size: 64}
  - {architecture: vgg16, training: frozen}
  - {training: frozen, architecture: vgg16, epochs: 30}
)");
  EXPECT_EQ(sweep.trials.size(), 3U);
  EXPECT_THAT(
      sweep.warnings,
      ElementsAre(
          "/sweeps/test.yaml:5:40: grid.architecture: the value is there already; it is taken once",
          "/sweeps/test.yaml:6:20: grid.image_size: the value is there already; it is taken once",
          "/sweeps/test.yaml:8:5: exclude: no point of the grid has these values",
          "/sweeps/test.yaml:9:5: exclude: no point of the grid has these values",
          "/sweeps/test.yaml:11:5: include: the trial is the same as one of the grid; it is "
          "trained once",
          "/sweeps/test.yaml:12:37: vgg16 is frozen without weights: its head learns from random "
          "features",
          "/sweeps/test.yaml:13:5: include: the trial is the same as one of line 12; it is "
          "trained once"));
}

TEST(Warnings, TellOfSettingsThatNeverAct) {
  EXPECT_THAT(parse(R"(
training: {architecture: vgg16, epochs: 10, early_stopping: {patience: 3}}
grid:
  schedule: [constant, {kind: step, every: 10}, {kind: plateau, patience: 3}]
)")
                  .warnings,
              ElementsAre("/sweeps/test.yaml:6:24: schedule.every: 10 never comes; the trial has "
                          "10 epochs",
                          "/sweeps/test.yaml:6:49: schedule.patience: 3 is no shorter than "
                          "early_stopping's 3, which ends the trial first"));
}

TEST(Contradictions, NeedNotBeSaidAboutExcludedPoints) {
  const std::string grid =
      "grid: {architecture: resnet50, training: [frozen, full], frozen_until: [none, layer4]}\n";
  EXPECT_NE(mistakes(grid), "");
  EXPECT_EQ(mistakes(grid + "exclude: [{training: frozen, frozen_until: layer4}]"), "");
}

TEST(Contradictions, AreCountedOverTrials) {
  EXPECT_EQ(mistakes(R"(
training: {momentum: 0.9, optimizer: adam}
grid: {architecture: [simple_cnn, vgg16], seed: [1, 2, 3]}
)"),
            "/sweeps/test.yaml:4:22: momentum is of sgd and rmsprop; adam has its own averages "
            "(6 trials)");
}

TEST(SweepError, GivesEveryMistakeByItsPlace) {
  try {
    parse("training: {epochs: 0, sed: 1}\ngrid: {architecture: lenet}\n");
    FAIL() << "accepted";
  } catch (const SweepError& error) {
    std::vector<std::pair<int, int>> places;
    for (const Diagnostic& each : error.diagnostics()) places.emplace_back(each.line, each.column);
    EXPECT_THAT(places, ElementsAre(std::pair(3, 20), std::pair(3, 23), std::pair(4, 22)));
  }
}

TEST(Identities, DoNotDependOnOrderOrOnDefaultsSpelledOut) {
  const auto ids = identities(parse("grid: {architecture: [simple_cnn, vgg16], seed: [0, 1]}"));
  EXPECT_EQ(ids, identities(parse(R"(
training:
  epochs: 30
  batch_size: 10
  early_stopping: {min_delta: 0, patience: 10}
  augmentation: {rotation: 0}
  schedule: constant
  head: {dense: [256]}
grid: {seed: [1, 0], architecture: [vgg16, simple_cnn]}
execution: {threads: 7, max_attempts: 1}
)")));
  EXPECT_NE(ids, identities(parse("grid: {architecture: [simple_cnn, vgg16], seed: [0, 2]}")));
}

class Weights : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_ / "other");
    write("a.safetensors", "content of a");
    write("b.safetensors", "content of b");
    write("other/c.safetensors", "content of a");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
  }

  SweepSpec parse_here(const std::string& rest) {
    return parse_sweep(kHead + rest, folder_ / "test.yaml");
  }

  std::filesystem::path folder_;
};

TEST_F(Weights, AreFoundFromTheSweepFileAndHashed) {
  for (const std::string rest : {"weights: a.safetensors\ngrid: {architecture: vgg16}",
                                 "training: {weights: a.safetensors, architecture: vgg16}",
                                 "grid: {architecture: vgg16, weights: [a.safetensors]}",
                                 "weights: {vgg16: a.safetensors}\ngrid: {architecture: vgg16}",
                                 "include: [{architecture: vgg16, weights: a.safetensors}]"}) {
    const TrialSpec spec = parse_here(rest).trials.at(0);
    EXPECT_EQ(spec.weights, (folder_ / "a.safetensors").string()) << rest;
    EXPECT_EQ(spec.weights_hash, hash_hex("content of a")) << rest;
  }
}

TEST_F(Weights, ByArchitectureAreADefaultThatATrialMayOverride) {
  const SweepSpec sweep = parse_here(R"(
weights: {vgg16: a.safetensors, resnet50: b.safetensors}
grid: {architecture: [vgg16, resnet50, simple_cnn]}
include:
  - {architecture: vgg16, weights: none}
  - {architecture: vgg16, weights: b.safetensors}
)");
  std::vector<std::optional<std::string>> hashes;
  for (const TrialSpec& spec : sweep.trials) hashes.push_back(spec.weights_hash);
  EXPECT_THAT(hashes, ElementsAre(hash_hex("content of a"), hash_hex("content of b"), std::nullopt,
                                  std::nullopt, hash_hex("content of b")));
}

TEST(Devices, ByArchitectureAreADefaultThatATrialMayOverride) {
  const SweepSpec sweep = parse(R"(
grid: {architecture: [vgg16, resnet50, simple_cnn]}
include:
  - {architecture: resnet50, devices: 3}
training: {batch_size: 16, devices: {resnet50: 4, vgg16: 2}}
)");
  std::vector<int> devices;
  for (const TrialSpec& spec : sweep.trials) devices.push_back(spec.devices);
  EXPECT_THAT(devices, ElementsAre(2, 4, 1, 3));
}

TEST_F(Weights, OfTheSameContentAreTheSameTrial) {
  const auto by = [&](const std::string& path) {
    return identities(parse_here("grid: {architecture: vgg16, weights: [" + path + "]}"));
  };
  EXPECT_EQ(by("a.safetensors"), by("other/c.safetensors"));
  EXPECT_NE(by("a.safetensors"), by("b.safetensors"));
  const SweepSpec both =
      parse_here("grid: {architecture: vgg16, weights: [a.safetensors, other/c.safetensors]}");
  EXPECT_EQ(both.trials.size(), 1U);
  EXPECT_EQ(both.warnings.size(), 1U);
}

TEST(TorchScript, IsAnArchitectureThatBringsItsWeights) {
  const TemporaryFolder folder;
  const auto file = folder.write("mine.pt", "a");
  folder.write("same.pt", "a");
  folder.write("other.pt", "b");
  const auto parse_here = [&](const std::string& rest) {
    return parse_sweep(kHead + rest, folder.path() / "sweep.yaml");
  };
  const SweepSpec sweep = parse_here(
      "grid: {architecture: [{torchscript: mine.pt}, {torchscript: other.pt}, resnet50]}");
  EXPECT_THAT(descriptions(sweep),
              ElementsAre("torchscript:mine", "torchscript:other", "resnet50"));
  EXPECT_EQ(sweep.trials[0].weights, file.string());
  EXPECT_NE(sweep.trials[0].weights_hash, sweep.trials[1].weights_hash);
  EXPECT_EQ(sweep.trials[2].weights, std::nullopt);
  EXPECT_EQ(trial_spec_from_json(to_canonical_json(sweep.trials[0])), sweep.trials[0]);

  // The content decides who it is.
  const auto by = [&](const std::string& path) {
    return identities(parse_here("training: {architecture: {torchscript: " + path + "}}"));
  };
  const auto before = by("mine.pt");
  EXPECT_NE(before, by("other.pt"));
  folder.write("mine.pt", "c");
  EXPECT_NE(before, by("mine.pt"));

  // Another architecture does not keep its weights.
  const SweepSpec both = parse_here(
      "training: {architecture: {torchscript: mine.pt}}\ngrid: {architecture: resnet50}");
  EXPECT_EQ(both.trials.at(0).weights, std::nullopt);
}

TEST(Examples, AreSweepsAsTheySay) {
  const auto load = [](const char* name) { return load_sweep(kSource / "sweeps/examples" / name); };
  EXPECT_EQ(load("quickstart.yaml").trials.size(), 4U);
  EXPECT_THAT(load("quickstart.yaml").warnings, IsEmpty());
  EXPECT_EQ(load("smile.yaml").trials.size(), 12U);

  const SweepSpec study = load("study.yaml");
  EXPECT_THAT(descriptions(study), ElementsAre("simple_cnn", "vgg16_simple", "inception_v3",
                                               "resnet50", "inception_resnet_v2"));
  // The study's settings are this project's defaults.
  TrialSpec expected;
  for (const TrialSpec& spec : study.trials) {
    expected.architecture = spec.architecture;
    EXPECT_EQ(spec, expected);
  }
}

}  // namespace
}  // namespace ranksweep::sweeps
