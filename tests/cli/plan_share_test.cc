#include "tools/cli/plan_share.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Trials of these costs, told apart by their seeds: 0, 1, 2, ...
sweeps::Plan plan_of(const std::vector<double>& costs) {
  sweeps::Plan plan{
      .sweep_name = "smile", .data_fingerprint = "f", .swept = {"seed"}, .trials = {}};
  for (const double cost : costs) {
    sweeps::TrialSpec spec;
    spec.architecture = "simple_cnn";
    spec.seed = std::ssize(plan.trials);
    plan.trials.push_back({.id = sweeps::identify(spec, "f"), .spec = spec, .cost = cost});
  }
  return plan;
}

std::vector<std::int64_t> seeds(const sweeps::Plan& plan) {
  std::vector<std::int64_t> seeds;
  for (const auto& trial : plan.trials) seeds.push_back(trial.spec.seed);
  return seeds;
}

double cost(const sweeps::Plan& plan) {
  double sum = 0;
  for (const auto& trial : plan.trials) sum += trial.cost;
  return sum;
}

TEST(PlanShare, DealsTheLongestFirstAndKeepsThePlansOrder) {
  const sweeps::Plan plan = plan_of({1, 2, 3, 4, 10});
  EXPECT_THAT(seeds(share_of(plan, {.number = 1, .of = 2})), ElementsAre(4));
  EXPECT_THAT(seeds(share_of(plan, {.number = 2, .of = 2})), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(share_of(plan, {.number = 2, .of = 2}).swept, plan.swept);
}

TEST(PlanShare, EveryTrialIsInOneShare) {
  std::vector<double> costs(101);
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i] = static_cast<double>(i % 17);
  const sweeps::Plan plan = plan_of(costs);
  std::multiset<std::int64_t> dealt;
  double most = 0, least = 1e9;
  for (int number = 1; number <= 7; ++number) {
    const sweeps::Plan share = share_of(plan, {.number = number, .of = 7});
    for (const std::int64_t seed : seeds(share)) dealt.insert(seed);
    most = std::max(most, cost(share));
    least = std::min(least, cost(share));
  }
  std::multiset<std::int64_t> all;
  for (const std::int64_t seed : seeds(plan)) all.insert(seed);
  EXPECT_EQ(dealt, all);
  EXPECT_LE(most - least, 16);  // LPT: never more than one trial apart
}

TEST(PlanShare, TrialsWithoutCostsAreDealtByNumber) {
  const sweeps::Plan plan = plan_of({0, 0, 0, 0});
  EXPECT_EQ(share_of(plan, {.number = 1, .of = 2}).trials.size(), 2u);
}

TEST(PlanShare, MoreSharesThanTrialsLeaveSomeEmpty) {
  EXPECT_THAT(seeds(share_of(plan_of({1}), {.number = 2, .of = 2})), IsEmpty());
}

TEST(PlanShare, TrialsThatShareAFrozenBaseStayTogether) {
  sweeps::Plan plan = plan_of({9, 1, 1, 9, 1, 1});
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    sweeps::TrialSpec& spec = plan.trials[i].spec;
    spec.training = sweeps::TrainingMode::frozen;
    spec.learning_rate = 1e-3 / static_cast<double>(i + 1);
    spec.seed = i < 3 ? 0 : 1;  // of the base's random weights
  }
  EXPECT_THAT(seeds(share_of(plan, {.number = 1, .of = 2})), ElementsAre(0, 0, 0));
  EXPECT_THAT(seeds(share_of(plan, {.number = 2, .of = 2})), ElementsAre(1, 1, 1));
  EXPECT_THAT(seeds(share_of(plan, {.number = 3, .of = 3})), IsEmpty());
}

TEST(PlanShare, IsWrittenAsANumberOfANumber) {
  const auto share = parse_share("2/4");
  ASSERT_TRUE(share);
  EXPECT_EQ(share->text(), "2/4");
  for (const char* text :
       {"", "2", "/", "0/4", "5/4", "2/", "/4", "2/4/8", "-1/4", "2 /4", "a/b", "1/99999999999"}) {
    EXPECT_FALSE(parse_share(text)) << text;
  }
}

}  // namespace
}  // namespace ranksweep::cli
