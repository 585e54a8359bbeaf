#include "orchestrator/trial_queue.h"

#include <gmock/gmock.h>

#include "tests/orchestrator/fakes.h"

namespace ranksweep::orchestrator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TrialQueueTest : public testing::Test {
 protected:
  // Trials with these costs.
  explicit TrialQueueTest(const std::vector<double>& costs = {1, 5, 5, 3})
      : plan_(plan_of(static_cast<int>(costs.size()))) {
    for (std::size_t trial = 0; trial < costs.size(); ++trial) {
      plan_.trials[trial].cost = costs[trial];
    }
  }
  TrialQueue queue() const {
    TrialQueue queue(plan_);
    for (std::size_t trial = 0; trial < plan_.trials.size(); ++trial) queue.add(trial, 1);
    return queue;
  }
  // Starts one trial after the other, and returns their order.
  static std::vector<std::size_t> order_of(TrialQueue queue, const Vacancy& vacancy = {}) {
    std::vector<std::size_t> order;
    while (const auto trial = queue.longest(vacancy)) {
      queue.start(*trial, "a");
      order.push_back(*trial);
    }
    return order;
  }

  sweeps::Plan plan_;
};

TEST_F(TrialQueueTest, TheLongestIsFirstAndThePlansOrderDecidesATie) {
  EXPECT_THAT(order_of(queue()), ElementsAre(1, 2, 3, 0));
}

TEST_F(TrialQueueTest, AmongThoseThatFitTheLongestOrTheSmallest) {
  const TrialQueue trials = queue();
  EXPECT_EQ(trials.longest({}, [](std::size_t trial) { return trial != 1; }), 2U);
  EXPECT_EQ(trials.smallest(), 0U);
  EXPECT_EQ(trials.smallest([](std::size_t trial) { return trial % 2 == 1; }), 3U);
  EXPECT_EQ(trials.smallest([](std::size_t) { return false; }), std::nullopt);
  EXPECT_EQ(trials.longest({.devices = 2}), std::nullopt);
}

TEST_F(TrialQueueTest, ATrialThatIsHalfDoneHasHalfTheWay) {
  TrialQueue trials = queue();
  trials.start(1, "a");
  trials.stop(1);
  trials.add(1, 0.5);
  EXPECT_THAT(order_of(std::move(trials)), ElementsAre(2, 3, 1, 0));
}

TEST_F(TrialQueueTest, EpochsThatWereMeasuredCorrectTheModelOfTheirArchitecture) {
  plan_.trials[3].spec.architecture = "resnet50";
  TrialQueue trials = queue();
  EXPECT_EQ(trials.expected_seconds(3), std::nullopt);
  trials.measure(0, 10);  // one of three epochs, of a third of the cost
  EXPECT_DOUBLE_EQ(trials.expected_seconds(0).value(), 30);
  EXPECT_DOUBLE_EQ(trials.expected_seconds(3).value(), 90);  // nothing better is known
  trials.measure(3, 100);
  EXPECT_DOUBLE_EQ(trials.expected_seconds(3).value(), 300);
  EXPECT_THAT(order_of(trials), ElementsAre(3, 1, 2, 0));
  EXPECT_EQ(trials.longest({.seconds = 100}), 0U);
  EXPECT_EQ(trials.longest({.seconds = 29}), std::nullopt);
}

TEST_F(TrialQueueTest, WidthsAreDoneTogether) {
  plan_.trials[1].spec.devices = 4;
  plan_.trials[2].spec.devices = 4;
  TrialQueue trials = queue();
  EXPECT_DOUBLE_EQ(trials.time_to_go(1), 4);    // on one device
  EXPECT_DOUBLE_EQ(trials.time_to_go(4), 2.5);  // on four
  EXPECT_THAT(trials.widths(), ElementsAre(4, 1));
  trials.start(1, "a");
  EXPECT_TRUE(trials.any_runs(4));
  EXPECT_FALSE(trials.any_runs(1));
  EXPECT_THAT(trials.widths(), ElementsAre(1, 4));
  trials.start(0, "a");
  EXPECT_DOUBLE_EQ(trials.time_to_go(1), 3);
  EXPECT_DOUBLE_EQ(trials.time_to_go(4), 1.25);
  EXPECT_THAT(trials.widths(), ElementsAre(1, 4));
  trials.start(3, "a");
  EXPECT_THAT(trials.widths(), ElementsAre(4));
  trials.start(2, "a");
  EXPECT_THAT(trials.widths(), IsEmpty());
  EXPECT_TRUE(trials.empty());
  trials.stop(1);
  trials.stop(2);
  EXPECT_FALSE(trials.any_runs(4));
}

class TrialQueueOfHeads : public TrialQueueTest {
 protected:
  // Five heads of one frozen base, and a trial on its own.
  TrialQueueOfHeads() : TrialQueueTest({11, 1, 1, 1, 1, 0.5}) {
    for (std::size_t trial = 0; trial < 5; ++trial) {
      plan_.trials[trial].base = 0;
      plan_.trials[trial].base_cost = 10;
    }
  }
};

TEST_F(TrialQueueOfHeads, StayWhereTheirBaseHasRun) {
  TrialQueue trials = queue();
  EXPECT_EQ(trials.longest({.host = "a"}), 0U);
  trials.start(0, "a");
  trials.measure(0, 1);
  EXPECT_EQ(trials.longest({.host = "a"}), 1U);
  EXPECT_EQ(trials.longest({.host = "b"}), 5U);
  trials.start(5, "b");
  EXPECT_EQ(trials.longest({.host = "b"}), std::nullopt);  // the base costs more than all heads
}

TEST_F(TrialQueueOfHeads, ComeAfterOtherTrialsWhileTheirBaseStillRuns) {
  TrialQueue trials = queue();
  trials.start(0, "a");
  EXPECT_EQ(trials.longest({.host = "a"}), 5U);
  trials.start(5, "a");
  EXPECT_EQ(trials.longest({.host = "a"}),
            1U);  // waiting for the base is better than running it elsewhere
}

// Few hosts can train them, so they are one long way together.
TEST_F(TrialQueueOfHeads, AreAsLongAsAllThatWait) {
  plan_.trials[5].cost = 3;
  TrialQueue trials = queue();
  trials.start(0, "a");
  trials.measure(0, 1);
  EXPECT_EQ(trials.longest({.host = "a"}), 1U);  // of four seconds together
  trials.start(1, "a");
  trials.start(2, "a");
  EXPECT_EQ(trials.longest({.host = "a"}), 5U);
}

TEST_F(TrialQueueOfHeads, GoElsewhereWhenNobodyIsLeftAtHome) {
  TrialQueue trials = queue();
  trials.start(0, "a");
  trials.start(5, "b");
  trials.lose_host("a");
  EXPECT_EQ(trials.longest({.host = "b"}), 1U);
}

TEST_F(TrialQueueOfHeads, GoElsewhereWhenTheirHomeIsBusyForLongerThanTheBaseTakes) {
  TrialQueue trials = queue();
  trials.start(0, "a");
  trials.stop(0);
  trials.start(5, "b");
  const auto busy_for = [](double seconds) { return [=](const std::string&) { return seconds; }; };
  EXPECT_EQ(trials.longest({.host = "b", .free_in = busy_for(5)}), std::nullopt);
  EXPECT_EQ(trials.longest({.host = "b", .free_in = busy_for(7)}), 1U);
  EXPECT_EQ(trials.longest({.host = "b"}), 1U);  // nobody knows for how long
}

TEST_F(TrialQueueOfHeads, GoElsewhereWhenTheyAreWorthAnotherPass) {
  for (std::size_t trial = 1; trial < 5; ++trial) plan_.trials[trial].cost = 6;
  TrialQueue trials = queue();
  trials.start(0, "a");
  trials.start(5, "b");
  EXPECT_EQ(trials.longest({.host = "b"}), 1U);
}

}  // namespace
}  // namespace ranksweep::orchestrator
