#include "results/resampling.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ranksweep::results {
namespace {

double uniform(std::mt19937& random) {
  return (static_cast<double>(random()) + 0.5) / 4294967296.0;
}

// Skewed as losses are: exponential, with mean 1.
std::vector<double> skewed(std::mt19937& random, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(-std::log(uniform(random)));
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// All sign flips, without chance.
bool exactly_distinguishable(const std::vector<double>& differences) {
  double observed = 0;
  for (double d : differences) observed += d;
  int as_far = 0;
  const unsigned flips = 1U << differences.size();
  for (unsigned signs = 0; signs < flips; ++signs) {
    double sum = 0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
      sum += (signs >> i & 1) != 0 ? differences[i] : -differences[i];
    }
    if (std::abs(sum) >= std::abs(observed) - 1e-12) ++as_far;
  }
  return as_far <= 0.05 * flips;
}

TEST(BootstrapInterval, LiesAroundTheMeanAndNarrowsWithMoreImages) {
  std::mt19937 random(1);
  double last_width = 10;
  for (const int count : {10, 100, 1000, 10'000}) {
    const std::vector<double> values = skewed(random, count);
    const Interval interval = bootstrap_interval(values).value();
    EXPECT_LT(interval.low, mean_of(values));
    EXPECT_GT(interval.high, mean_of(values));
    EXPECT_LT(interval.high - interval.low, last_width);
    last_width = interval.high - interval.low;
  }
  // The standard error of the mean of 10,000 such values is 0.01.
  EXPECT_NEAR(last_width, 2 * 1.96 * 0.01, 0.005);
}

TEST(BootstrapInterval, CoversTheTrueMeanAboutAsOftenAsItSays) {
  std::mt19937 random(2);
  int covered = 0;
  constexpr int kTimes = 400;
  for (int i = 0; i < kTimes; ++i) {
    const Interval interval = bootstrap_interval(skewed(random, 100)).value();
    covered += interval.low <= 1 && 1 <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kTimes, 0.95, 0.03);
}

TEST(BootstrapInterval, BendsTowardsTheLongTail) {
  std::mt19937 random(3);
  const std::vector<double> values = skewed(random, 50);
  const Interval interval = bootstrap_interval(values).value();
  EXPECT_GT(interval.high - mean_of(values), mean_of(values) - interval.low);
}

TEST(BootstrapInterval, IsAlwaysTheSame) {
  std::mt19937 random(4);
  const std::vector<double> values = skewed(random, 100);
  EXPECT_EQ(bootstrap_interval(values), bootstrap_interval(values));
}

TEST(BootstrapInterval, OfWhatHasNone) {
  EXPECT_EQ(bootstrap_interval({}), std::nullopt);
  EXPECT_EQ(bootstrap_interval(std::vector{1.0}), std::nullopt);
  EXPECT_EQ(bootstrap_interval(std::vector{1.0, std::numeric_limits<double>::infinity()}),
            std::nullopt);
  EXPECT_EQ(bootstrap_interval(std::vector{0.25, 0.25, 0.25}), (Interval{0.25, 0.25}));
}

TEST(Distinguishable, AgreesWithAllSignFlips) {
  std::mt19937 random(5);
  int told_apart = 0;
  int close = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<double> differences;
    for (double value : skewed(random, 12)) differences.push_back(value - 0.4);
    const bool expected = exactly_distinguishable(differences);
    close += distinguishable(differences) == expected ? 0 : 1;
    told_apart += expected ? 1 : 0;
  }
  EXPECT_GT(told_apart, 20);
  EXPECT_LT(told_apart, 180);
  EXPECT_LE(close, 8);  // p-values next to 5 %, which draws can miss
}

TEST(Distinguishable, CriesWolfInAboutOneOfTwentyEqualPairs) {
  std::mt19937 random(6);
  int told_apart = 0;
  constexpr int kPairs = 1000;
  for (int i = 0; i < kPairs; ++i) {
    const std::vector<double> one = skewed(random, 100);
    std::vector<double> differences = skewed(random, 100);
    for (std::size_t k = 0; k < differences.size(); ++k) differences[k] -= one[k];
    told_apart += distinguishable(differences).value() ? 1 : 0;
  }
  EXPECT_NEAR(told_apart, 0.05 * kPairs, 25);
}

TEST(Distinguishable, TellsAClearDifferenceWhateverItsSign) {
  EXPECT_EQ(distinguishable(std::vector<double>(100, 0.01)), true);
  EXPECT_EQ(distinguishable(std::vector<double>(100, -0.01)), true);
  // Four images cannot: two of sixteen flips are as far.
  EXPECT_EQ(distinguishable(std::vector<double>(4, 1.0)), false);
}

TEST(Distinguishable, NoDifferenceIsNone) {
  EXPECT_EQ(distinguishable(std::vector<double>(100, 0.0)), false);
  EXPECT_EQ(distinguishable({}), std::nullopt);
  EXPECT_EQ(distinguishable(std::vector{0.1, std::nan("")}), std::nullopt);
}

}  // namespace
}  // namespace ranksweep::results
