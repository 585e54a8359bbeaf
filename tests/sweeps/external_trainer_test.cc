// Sweeps whose trials a program of the user's own trains.
#include "sweeps/external_trainer.h"

#include <set>

#include <gmock/gmock.h>

#include "sweeps/plan.h"
#include "sweeps/sweep_file.h"
#include "tests/temporary_folder.h"

namespace ranksweep::sweeps {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExternalTrainerTest : public ::testing::Test {
 protected:
  SweepFile parse(const std::string& rest,
                  const std::string& trainer = "command: [sh, -c, train]") {
    return parse_sweep_file("name: test\ntrainer: {" + trainer + "}\n" + rest,
                            folder_.path() / "sweep.yaml");
  }
  std::vector<std::string> specs(const SweepFile& file) {
    std::vector<std::string> texts;
    for (const Trial& trial : file.trials) texts.push_back(to_canonical_json(trial).dump());
    return texts;
  }

  TemporaryFolder folder_;
};

TEST_F(ExternalTrainerTest, ParametersHaveAnyNamesAndValues) {
  const SweepFile file = parse(R"(
grid: {learning_rate: [fast, 0.1], deep: [[1, 2], {a: null}]}
training: {epochs: 2, early_stopping: false, verbose: true}
)");
  EXPECT_THAT(specs(file).front(), R"({"deep":[1,2],"devices":1,"early_stopping":false,"epochs":2,)"
                                   R"("learning_rate":"fast","verbose":true})");
  EXPECT_THAT(file.sweep.swept, ElementsAre("learning_rate", "deep"));
  EXPECT_THAT(file.sweep.warnings, IsEmpty());
  std::vector<std::string> texts;
  for (const Trial& trial : file.trials) texts.push_back(describe(trial, file.sweep.swept));
  EXPECT_THAT(texts, ElementsAre("learning_rate=fast deep=1-2", "learning_rate=fast deep={a: null}",
                                 "learning_rate=0.1 deep=1-2", "learning_rate=0.1 deep={a: null}"));
}

TEST_F(ExternalTrainerTest, TheGridIsMultipliedOutAsForTheBuiltInTrainer) {
  const SweepFile file = parse(R"(
grid: {a: [1, 2], b: [x, y]}
exclude: [{a: 1, b: y}, {c: 1}]
include: [{a: 3, c: 1}, {a: 2, b: x}]
training: {epochs: 1, early_stopping: false}
)");
  std::vector<std::string> texts;
  for (const Trial& trial : file.trials) texts.push_back(trial.own.dump());
  EXPECT_THAT(texts, ElementsAre(R"({"a":1,"b":"x"})", R"({"a":2,"b":"x"})", R"({"a":2,"b":"y"})",
                                 R"({"a":3,"c":1})"));
  EXPECT_THAT(file.sweep.warnings,
              ElementsAre(HasSubstr("no point of the grid"), HasSubstr("it is trained once")));
}

TEST_F(ExternalTrainerTest, WithoutAGridThereIsOneTrialWithTheDefaultsOfTheCoordinator) {
  const SweepFile file = parse("");
  EXPECT_THAT(specs(file), ElementsAre(R"({"devices":1,"early_stopping":{"min_delta":0.0,)"
                                       R"("patience":10},"epochs":30})"));
  EXPECT_EQ(describe(file.trials.front(), file.sweep.swept), "default");
  EXPECT_TRUE(file.sweep.data.path.empty());
}

TEST_F(ExternalTrainerTest, TheIdentityHoldsEveryParameterAndTellsNumbersApart) {
  std::set<TrialId> ids;
  for (const char* grid :
       {"a: 1", "a: 1.0", "a: '1'", "a: true", "b: 1", "a: 1, b: 1", "a: null"}) {
    const SweepFile file = parse(std::string("grid: {") + grid + "}");
    ids.insert(make_plan(file, "content").trials.front().id);
  }
  EXPECT_EQ(ids.size(), 7U);
  const SweepFile reordered = parse("training: {b: 1, a: 1}");
  EXPECT_TRUE(ids.contains(make_plan(reordered, "content").trials.front().id));
  EXPECT_FALSE(ids.contains(make_plan(reordered, "other content").trials.front().id));
}

TEST_F(ExternalTrainerTest, TheFingerprintIsOfTheCommandAndOfTheContentOfInputs) {
  folder_.write("train.py", "1");
  folder_.write("data/a.csv", "a");
  folder_.write("data/b/c.csv", "c");
  const auto of = [&](const std::string& trainer) {
    return fingerprint(*parse("", trainer).trainer);
  };
  const std::string inputs = "command: [sh], inputs: [train.py, data]";
  const std::string before = of(inputs);
  EXPECT_EQ(of(inputs), before);
  std::set<std::string> all = {before, of("command: [sh, x], inputs: [train.py, data]"),
                               of("command: [sh], inputs: [train.py]"), of("command: [sh]")};
  folder_.write("data/b/c.csv", "C");
  all.insert(of(inputs));
  folder_.write("data/b/d.csv", "");
  all.insert(of(inputs));
  folder_.write("train.py", "2");
  all.insert(of(inputs));
  EXPECT_EQ(all.size(), 7U);
}

TEST_F(ExternalTrainerTest, AProgramOfTheFoldersIsFoundByItsPath) {
  folder_.write("train", "#!/bin/sh\n");
  std::filesystem::permissions(folder_.path() / "train", std::filesystem::perms::owner_all);
  EXPECT_EQ(parse("", "command: [./train]").trainer->folder, folder_.path());
  EXPECT_THROW(parse("", "command: [train]"), SweepError);
}

TEST_F(ExternalTrainerTest, WhatKnowsTheBuiltInTrainerAloneRefusesIt) {
  try {
    parse_sweep("name: test\ntrainer: {command: [sh]}\n", "sweep.yaml");
    FAIL() << "accepted";
  } catch (const SweepError& error) {
    EXPECT_THAT(error.what(), HasSubstr("its trials are an external trainer's"));
  }
}

}  // namespace
}  // namespace ranksweep::sweeps
