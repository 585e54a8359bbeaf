#include "orchestrator/ledger.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/orchestrator/fakes.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;

constexpr int kMaxAttempts = 3;
const Placement kPlace{.rank = 1, .host = "node1", .device = "cpu", .threads = 2};

class LedgerTest : public testing::Test {
 protected:
  Ledger ledger() { return {plan_, FakeStore(plan_).load_trials(), kMaxAttempts}; }
  sweeps::Plan plan_ = plan_of(3);
};

std::optional<std::size_t> longest(const Ledger& trials) { return trials.waiting().longest({}); }

sweeps::EpochMetrics epoch(int number, double loss = 1) {
  return {.epoch = number, .val_loss = loss};
}

TEST_F(LedgerTest, AnAttemptIsFollowedFromStartToEnd) {
  auto trials = ledger();
  const auto started = std::get<results::AttemptStarted>(trials.start(0, 7, kPlace));
  EXPECT_EQ(started.trial, plan_.trials[0].id);
  EXPECT_EQ(started.rank, 1);
  EXPECT_EQ(trials.trial_of(7), 0u);
  trials.set_parameters(7, 123);
  for (int number = 1; number <= 3; ++number) {
    EXPECT_EQ(trials.decision(0), cluster::Decision::go_on);
    trials.add_epoch(7, epoch(number));
  }
  EXPECT_EQ(trials.decision(0), cluster::Decision::stop);
  const auto ended =
      std::get<results::AttemptEnded>(trials.end(7, {.outcome = AttemptOutcome::finished}));
  EXPECT_EQ(ended.trial_state, TrialState::finished);
  EXPECT_EQ(ended.parameters, 123);
  EXPECT_EQ(trials.trial_of(7), std::nullopt);
  EXPECT_EQ(trials.counts().finished, 1);
}

TEST_F(LedgerTest, KeepsPredictionsOfTheBestEpochAlone) {
  auto trials = ledger();
  trials.start(0, 7, kPlace);
  for (const double loss : {2.0, 1.0, 1.0}) {
    sweeps::EpochMetrics metrics =
        epoch(static_cast<int>(trials.record(0).epochs.size()) + 1, loss);
    metrics.val_images = 5;
    EXPECT_THROW(trials.keep_predictions(0, 2, {.images = 5, .classes = 2}), std::invalid_argument);
    trials.add_epoch(7, metrics);
  }
  const sweeps::Predictions predictions{.images = 5, .classes = 2};
  EXPECT_THROW(trials.keep_predictions(0, 3, predictions), std::invalid_argument);
  EXPECT_THROW(trials.keep_predictions(0, 2, {.images = 6, .classes = 2}), std::invalid_argument);
  const auto kept = std::get<results::PredictionsKept>(trials.keep_predictions(0, 2, predictions));
  EXPECT_EQ(kept.trial, plan_.trials[0].id);
  EXPECT_EQ(kept.epoch, 2);
  EXPECT_EQ(kept.predictions, predictions);
}

TEST_F(LedgerTest, ABrokenAttemptIsRetriedUntilTheLastOne) {
  auto trials = ledger();
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    ASSERT_EQ(longest(trials), 0u);
    trials.start(0, attempt, kPlace);
    const auto ended =
        std::get<results::AttemptEnded>(trials.end(attempt, {.outcome = AttemptOutcome::lost}));
    EXPECT_EQ(ended.trial_state, attempt < kMaxAttempts ? TrialState::pending : TrialState::failed);
  }
  EXPECT_EQ(longest(trials), 1u);
}

TEST_F(LedgerTest, AnInterruptionIsNotHeldAgainstATrial) {
  auto trials = ledger();
  for (int attempt = 1; attempt <= 10; ++attempt) {
    trials.start(0, attempt, kPlace);
    trials.end(attempt, {.outcome = AttemptOutcome::interrupted});
    EXPECT_EQ(trials.record(0).state, TrialState::pending);
  }
}

TEST_F(LedgerTest, EpochsComeInOrder) {
  auto trials = ledger();
  trials.start(0, 1, kPlace);
  EXPECT_THROW(trials.add_epoch(1, epoch(2)), std::invalid_argument);
  trials.add_epoch(1, epoch(1));
  EXPECT_THROW(trials.add_epoch(1, epoch(1)), std::invalid_argument);
}

TEST_F(LedgerTest, AnAttemptMayGoOnFromAnEarlierEpoch) {
  auto trials = ledger();
  trials.start(0, 1, kPlace);
  trials.add_epoch(1, epoch(1));
  trials.add_epoch(1, epoch(2));
  trials.end(1, {.outcome = AttemptOutcome::lost});
  trials.start(0, 2, kPlace);
  EXPECT_EQ(trials.rewind(2, 2), std::nullopt);
  const auto discarded = std::get<results::EpochsDiscarded>(trials.rewind(2, 1).value());
  EXPECT_EQ(discarded.last_kept, 1);
  EXPECT_THROW(trials.rewind(2, -1), std::invalid_argument);
  trials.add_epoch(2, epoch(2));
}

TEST_F(LedgerTest, WhatADeadCoordinatorLeftOpenIsRecovered) {
  auto stored = FakeStore(plan_).load_trials();
  stored[0].state = TrialState::running;
  stored[0].open_attempt = 4;
  stored[0].epochs = {epoch(1)};
  stored[1].state = TrialState::running;
  stored[1].open_attempt = 5;
  stored[1].epochs = {epoch(1), epoch(2), epoch(3)};
  stored[2].state = TrialState::failed;
  Ledger trials(plan_, stored, kMaxAttempts);
  const auto changes = trials.recover();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(std::get<results::AttemptEnded>(changes[0]).outcome, AttemptOutcome::interrupted);
  EXPECT_EQ(trials.record(0).state, TrialState::pending);
  EXPECT_EQ(trials.record(0).failed_attempts, 0);
  EXPECT_EQ(trials.record(0).epochs.size(), 1u);
  EXPECT_EQ(trials.record(1).state, TrialState::pending);
  EXPECT_EQ(longest(trials), 0u);
  EXPECT_TRUE(trials.recover().empty());
}

TEST_F(LedgerTest, ATrialThatIsExcusedWaitsAgain) {
  auto trials = ledger();
  EXPECT_THROW(trials.excuse(0, 1), std::logic_error);
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    trials.start(0, attempt, kPlace);
    trials.end(attempt, {.outcome = AttemptOutcome::lost});
  }
  EXPECT_EQ(trials.record(0).state, TrialState::failed);
  const auto excused = std::get<results::AttemptExcused>(trials.excuse(0, 2));
  EXPECT_EQ(excused.trial_state, TrialState::pending);
  EXPECT_EQ(trials.record(0).failed_attempts, kMaxAttempts - 1);
  EXPECT_EQ(longest(trials), 0u);
}

TEST_F(LedgerTest, WhatIsIllegalChangesNothing) {
  auto trials = ledger();
  trials.start(0, 1, kPlace);
  EXPECT_THROW(trials.start(0, 2, kPlace), std::logic_error);
  EXPECT_THROW(trials.end(2, {}), std::logic_error);
  EXPECT_EQ(trials.trial_of(1), 0u);
  EXPECT_EQ(trials.counts().running, 1);
}

TEST_F(LedgerTest, ForgetsTheEpochsOfWhatHasEndedAlone) {
  auto trials = ledger();
  trials.start(0, 7, kPlace);
  trials.start(1, 8, kPlace);
  trials.add_epoch(8, epoch(1));
  for (int number = 1; number <= 3; ++number) trials.add_epoch(7, epoch(number));
  trials.end(7, {.outcome = AttemptOutcome::finished});
  trials.forget_epochs(0);
  trials.forget_epochs(1);
  EXPECT_TRUE(trials.record(0).epochs.empty());
  EXPECT_EQ(trials.record(1).epochs.size(), 1u);
}

TEST_F(LedgerTest, AnEarlyEndIsWorkThatNeedsNoDoing) {
  auto trials = ledger();
  const double all = static_cast<double>(plan_.trials.size());
  EXPECT_EQ(trials.work(), all);
  trials.start(0, 7, kPlace);
  trials.add_epoch(7, epoch(1));
  EXPECT_DOUBLE_EQ(trials.work_done(), 1.0 / 3);
  trials.rewind(7, 0);
  EXPECT_DOUBLE_EQ(trials.work_done(), 0);
  trials.add_epoch(7, epoch(1));
  trials.end(7, {.outcome = AttemptOutcome::diverged});
  trials.forget_epochs(0);
  EXPECT_DOUBLE_EQ(trials.work_done(), 1);
}

// Whatever happens in whatever order: no trial is lost, runs twice at once, or ends twice.
TEST_F(LedgerTest, RandomEventsLoseNoTrial) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const sweeps::Plan plan = plan_of(1 + static_cast<int>(random() % 8));
    FakeStore store(plan);  // throws on a double start, a double end, a number used twice
    std::optional<Ledger> trials(std::in_place, plan, store.load_trials(), kMaxAttempts);
    std::set<sweeps::AttemptId> running;
    for (int step = 0; trials->counts().ended() < static_cast<int>(plan.trials.size()); ++step) {
      ASSERT_LT(step, 10000);
      std::vector<results::Change> changes;
      const auto next = longest(*trials);
      if (next && (running.empty() || random() % 2 == 0)) {
        const sweeps::AttemptId attempt = store.next_attempt();
        changes.push_back(trials->start(*next, attempt, kPlace));
        running.insert(attempt);
      } else if (!running.empty()) {
        const sweeps::AttemptId attempt =
            *std::next(running.begin(), static_cast<std::ptrdiff_t>(random() % running.size()));
        const std::size_t trial = trials->trial_of(attempt).value();
        const bool complete = trials->decision(trial) == cluster::Decision::stop;
        if (!complete && random() % 3 != 0) {
          const int number = static_cast<int>(trials->record(trial).epochs.size()) + 1;
          changes.push_back(trials->add_epoch(attempt, epoch(number)));
        } else {
          constexpr std::array kOutcomes = {AttemptOutcome::diverged, AttemptOutcome::failed,
                                            AttemptOutcome::lost, AttemptOutcome::interrupted};
          const auto outcome =
              complete ? AttemptOutcome::finished : kOutcomes[random() % kOutcomes.size()];
          changes.push_back(trials->end(attempt, {.outcome = outcome}));
          running.erase(attempt);
        }
      }
      store.commit(changes);
      if (random() % 50 == 0) {  // the coordinator dies and comes back
        trials.emplace(plan, store.load_trials(), kMaxAttempts);
        store.commit(trials->recover());
        running.clear();
      }
      const TrialCounts& counts = trials->counts();
      ASSERT_EQ(counts.running, static_cast<int>(running.size()));
      ASSERT_EQ(counts.total(), static_cast<int>(plan.trials.size()));
    }
  }
}

}  // namespace
}  // namespace ranksweep::orchestrator
