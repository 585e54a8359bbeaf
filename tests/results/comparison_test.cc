#include "results/comparison.h"

#include <cmath>

#include <gmock/gmock.h>

namespace ranksweep::results {
namespace {

RankedTrial trial(char digit, double val_loss, int best_epoch = 3) {
  RankedTrial trial;
  trial.trial = sweeps::TrialId(std::string(32, digit));
  trial.description = std::string("trial ") + digit;
  trial.mark = Mark::finished;
  trial.best_epoch = best_epoch;
  trial.val_loss = val_loss;
  return trial;
}

std::vector<std::string> verdicts(const Comparison& comparison) {
  std::vector<std::string> verdicts;
  for (const auto& row : comparison.table().rows) {
    verdicts.push_back(std::get<std::string>(row[0]).substr(0, 1) + " " +
                       std::get<std::string>(row.back()));
  }
  return verdicts;
}

TEST(ComparisonTest, FindsEveryTrialOnceWhateverTheOrder) {
  const Comparison comparison({trial('a', 0.1), trial('b', 0.2), trial('c', 0.3)},
                              {trial('d', 0.1), trial('b', 0.2), trial('a', 0.1)});
  EXPECT_THAT(verdicts(comparison),
              testing::ElementsAre("a equal", "b equal", "c first alone", "d second alone"));
  EXPECT_TRUE(comparison.all_equal());
  EXPECT_EQ(comparison.summary(),
            "2 ended in both: 2 with equal results, 0 with others; 0 not ended in both, 1 in the "
            "first alone, 1 in the second alone");
}

TEST(ComparisonTest, TheLastBitOfALossCounts) {
  const double loss = 0.1;
  const double next = std::nextafter(loss, 1);
  const Comparison comparison({trial('a', loss)}, {trial('a', next)});
  EXPECT_FALSE(comparison.all_equal());
  EXPECT_EQ(std::get<double>(comparison.table().rows[0][8]), next - loss);
}

TEST(ComparisonTest, AnotherBestEpochOrMarkIsAnotherResult) {
  EXPECT_FALSE(Comparison({trial('a', 0.1, 3)}, {trial('a', 0.1, 4)}).all_equal());
  RankedTrial collapsed = trial('a', 0.1);
  collapsed.mark = Mark::collapsed;
  EXPECT_FALSE(Comparison({trial('a', 0.1)}, {collapsed}).all_equal());
}

TEST(ComparisonTest, ATrialThatHasNotEndedIsNeitherEqualNorOther) {
  RankedTrial pending;
  pending.trial = sweeps::TrialId(std::string(32, 'a'));
  const Comparison comparison({pending, trial('b', 0.2)}, {trial('a', 0.1), trial('b', 0.2)});
  EXPECT_THAT(verdicts(comparison), testing::ElementsAre("a not ended", "b equal"));
  EXPECT_EQ(comparison.table().rows[0][8], Cell{});
  EXPECT_TRUE(comparison.all_equal());
}

// The wrong file must not pass for a successful check.
TEST(ComparisonTest, NothingToCompareIsNotEqual) {
  EXPECT_FALSE(Comparison({trial('a', 0.1)}, {trial('b', 0.1)}).all_equal());
  RankedTrial pending;
  pending.trial = sweeps::TrialId(std::string(32, 'a'));
  EXPECT_FALSE(Comparison({pending}, {pending}).all_equal());
}

}  // namespace
}  // namespace ranksweep::results
