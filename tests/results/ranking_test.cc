#include "results/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <tuple>

#include <gmock/gmock.h>

#include "results/results_reader.h"
#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using sweeps::AttemptOutcome;
using sweeps::EpochMetrics;
using sweeps::TrialState;

// What the three rankings are compared by: identity, mark, best epoch and rank.
using Standing = std::tuple<std::string, std::string, int, int>;

// A sweep with every kind of end and values from a handful, so that every tie occurs.
class RandomSweep {
 public:
  explicit RandomSweep(unsigned seed) : random_(seed) {}

  std::vector<Change> changes(const sweeps::Plan& plan) {
    std::vector<Change> changes;
    for (const sweeps::PlannedTrial& trial : plan.trials) {
      const auto state = static_cast<TrialState>(below(8) < 4 ? 2 : below(5));
      if (state == TrialState::pending) continue;
      changes.push_back(AttemptStarted{++attempt_, trial.id, 0, "host", "cpu", 1});
      const int epochs = 1 + below(6);
      for (int epoch = 1; epoch <= epochs; ++epoch) {
        changes.push_back(EpochRecorded{attempt_, trial.id, metrics(epoch)});
      }
      if (state == TrialState::running) continue;
      AttemptEnded ended;
      ended.attempt = attempt_;
      ended.trial = trial.id;
      ended.outcome = state == TrialState::finished   ? AttemptOutcome::finished
                      : state == TrialState::diverged ? AttemptOutcome::diverged
                                                      : AttemptOutcome::failed;
      ended.trial_state = state;
      ended.parameters = below(3) * 1000;
      changes.push_back(ended);
    }
    return changes;
  }

 private:
  int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }

  EpochMetrics metrics(int epoch) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    EpochMetrics metrics;
    metrics.epoch = epoch;
    metrics.val_loss = std::array{0.1, 0.2, 0.2, 0.3, kNan, kInfinity}[random_() % 6];
    metrics.val_accuracy = std::array{0.8, 0.9, kNan}[random_() % 3];
    metrics.val_images = 10;
    metrics.seconds = 0.5;
    metrics.val_classes_predicted = 1 + below(5) / 2;
    return metrics;
  }

  std::mt19937 random_;
  sweeps::AttemptId attempt_ = 0;
};

std::vector<Standing> standings_by_view(ResultsReader& reader) {
  std::vector<Standing> standings;
  for (const RankedTrial& trial : reader.ranking()) {
    standings.emplace_back(trial.trial.hex(), name_of(trial.mark), trial.best_epoch.value_or(0),
                           trial.rank.value_or(0));
  }
  return standings;
}

// The rules once more in SQL, told another way: no window function, no index, no view. A trial's
// best epoch is the one that no other beats; its rank is one more than the trials that beat it.
std::vector<Standing> standings_by_plain_sql(ResultsReader& reader) {
  const Table table = reader.query(R"(
      WITH best AS (
        SELECT e.* FROM epoch e WHERE e.val_loss IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM epoch o WHERE o.trial = e.trial AND o.val_loss IS NOT NULL
            AND (o.val_loss < e.val_loss OR (o.val_loss = e.val_loss AND o.epoch < e.epoch)))
      ), t AS (
        SELECT trial.identity AS id, epoch, ifnull(best.val_loss, 9e99) AS loss,
          -ifnull(best.val_accuracy, -1) AS error, ifnull(network_parameters, 9e99) AS size,
          CASE WHEN state <> 'finished' THEN state
               WHEN epoch IS NULL THEN 'diverged'
               WHEN best.val_classes_predicted = 1 THEN 'collapsed'
               ELSE 'finished' END AS mark
        FROM trial LEFT JOIN best ON best.trial = trial.id
        WHERE trial.id IN (SELECT trial FROM sweep_trial)
      ), g AS (
        SELECT *, instr('finished  collapsed diverged  failed    running   pending', mark) AS grade
        FROM t
      )
      SELECT id, mark, ifnull(epoch, 0), 1 + (SELECT count(*) FROM g o WHERE
        (o.grade, o.loss, o.error, o.size, o.id) < (g.grade, g.loss, g.error, g.size, g.id)) AS place
      FROM g ORDER BY place)");
  std::vector<Standing> standings;
  for (const auto& row : table.rows) {
    const auto& mark = std::get<std::string>(row[1]);
    const auto place = static_cast<int>(std::get<std::int64_t>(row[3]));
    standings.emplace_back(std::get<std::string>(row[0]), mark,
                           static_cast<int>(std::get<std::int64_t>(row[2])),
                           mark == "finished" ? place : 0);
  }
  return standings;
}

// And in C++, from what the coordinator is told.
std::vector<Standing> standings_by_plain_cpp(const std::vector<Change>& changes,
                                             const sweeps::Plan& plan) {
  struct Known {
    TrialState state = TrialState::pending;
    const EpochMetrics* best = nullptr;
    std::int64_t parameters = std::numeric_limits<std::int64_t>::max();
  };
  std::map<sweeps::TrialId, Known> known;
  for (const Change& change : changes) {
    if (const auto* started = std::get_if<AttemptStarted>(&change)) {
      known[started->trial].state = TrialState::running;
    } else if (const auto* ended = std::get_if<AttemptEnded>(&change)) {
      known[ended->trial].state = ended->trial_state;
      if (ended->parameters > 0) known[ended->trial].parameters = ended->parameters;
    } else if (const auto* epoch = std::get_if<EpochRecorded>(&change)) {
      Known& trial = known[epoch->trial];
      const bool better = std::isfinite(epoch->metrics.val_loss) &&
                          (!trial.best || epoch->metrics.val_loss < trial.best->val_loss);
      if (better) trial.best = &epoch->metrics;
    }
  }
  using Key = std::tuple<int, double, double, std::int64_t, std::string>;
  std::set<std::pair<Key, Standing>> ordered;
  const char* const marks[] = {"finished", "collapsed", "diverged", "failed", "running", "pending"};
  for (const sweeps::PlannedTrial& planned : plan.trials) {
    const Known& trial = known[planned.id];
    int mark = 5;
    if (trial.state == TrialState::finished) {
      mark = !trial.best ? 2 : trial.best->val_classes_predicted == 1 ? 1 : 0;
    } else if (trial.state == TrialState::diverged) {
      mark = 2;
    } else if (trial.state == TrialState::failed) {
      mark = 3;
    } else if (trial.state == TrialState::running) {
      mark = 4;
    }
    const double loss = trial.best ? trial.best->val_loss : 1e300;
    const double accuracy =
        trial.best && std::isfinite(trial.best->val_accuracy) ? trial.best->val_accuracy : -1;
    ordered.insert({{mark, loss, -accuracy, trial.parameters, planned.id.hex()},
                    {planned.id.hex(), marks[mark], trial.best ? trial.best->epoch : 0, 0}});
  }
  std::vector<Standing> standings;
  for (const auto& [key, standing] : ordered) {
    standings.push_back(standing);
    const bool ranked = std::get<1>(standing) == "finished";
    std::get<3>(standings.back()) = ranked ? static_cast<int>(standings.size()) : 0;
  }
  return standings;
}

TEST(RankingTest, IsTheSameByViewByPlainSqlAndByPlainCpp) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    const TemporaryFolder folder;
    const testing::SyntheticSweep sweep{.trials = 160};
    const sweeps::Plan plan = testing::synthetic_plan(sweep);
    const std::vector<Change> changes = RandomSweep(seed).changes(plan);
    SqliteStore::open_for_sweep(folder / "results.db", plan, testing::synthetic_provenance(sweep))
        ->commit(changes);
    ResultsReader reader(folder / "results.db");
    const std::vector<Standing> by_view = standings_by_view(reader);
    ASSERT_EQ(by_view.size(), 160u);
    EXPECT_EQ(by_view, standings_by_plain_sql(reader));
    EXPECT_EQ(by_view, standings_by_plain_cpp(changes, plan));
  }
}

class RankingRulesTest : public ::testing::Test {
 protected:
  struct Outcome {
    double val_loss = 0.5;
    double val_accuracy = 0.9;
    std::int64_t parameters = 1000;
    int classes = 2;
    TrialState state = TrialState::finished;
  };

  // The places in the plan of the trials, best first, when each has the given outcome.
  std::vector<std::size_t> ranked(const std::vector<Outcome>& outcomes) {
    const TemporaryFolder folder;
    const testing::SyntheticSweep sweep{.trials = static_cast<int>(outcomes.size())};
    const sweeps::Plan plan = testing::synthetic_plan(sweep);
    std::vector<Change> changes;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto attempt = static_cast<sweeps::AttemptId>(i + 1);
      const sweeps::TrialId& trial = plan.trials[i].id;
      changes.push_back(AttemptStarted{attempt, trial, 0, "host", "cpu", 1});
      EpochMetrics metrics;
      metrics.epoch = 1;
      metrics.val_loss = outcomes[i].val_loss;
      metrics.val_accuracy = outcomes[i].val_accuracy;
      metrics.val_classes_predicted = outcomes[i].classes;
      changes.push_back(EpochRecorded{attempt, trial, metrics});
      if (outcomes[i].state == TrialState::running) continue;
      AttemptEnded ended{.attempt = attempt, .trial = trial};
      ended.trial_state = outcomes[i].state;
      ended.parameters = outcomes[i].parameters;
      changes.push_back(ended);
    }
    SqliteStore::open_for_sweep(folder / "results.db", plan, testing::synthetic_provenance(sweep))
        ->commit(changes);
    std::vector<std::size_t> order;
    for (const RankedTrial& trial : ResultsReader(folder / "results.db").ranking()) {
      const auto planned = std::find_if(plan.trials.begin(), plan.trials.end(),
                                        [&](const auto& one) { return one.id == trial.trial; });
      order.push_back(static_cast<std::size_t>(planned - plan.trials.begin()));
    }
    return order;
  }
};

using ::testing::ElementsAre;

TEST_F(RankingRulesTest, TheLowerLossWins) {
  EXPECT_THAT(ranked({{.val_loss = 0.3}, {.val_loss = 0.1}, {.val_loss = 0.2}}),
              ElementsAre(1, 2, 0));
}

TEST_F(RankingRulesTest, OnATieTheAccuracyThenTheSmallerNetwork) {
  EXPECT_THAT(ranked({{.val_accuracy = 0.8}, {.parameters = 2000}, {.parameters = 10}}),
              ElementsAre(2, 1, 0));
}

TEST_F(RankingRulesTest, WhatIsNoHonestResultStandsBelow) {
  EXPECT_THAT(ranked({{.val_loss = 0.01, .state = TrialState::running},
                      {.val_loss = 0.02, .state = TrialState::failed},
                      {.val_loss = 0.03, .state = TrialState::diverged},
                      {.val_loss = 0.04, .classes = 1},
                      {.val_loss = 9}}),
              ElementsAre(4, 3, 2, 1, 0));
}

// From SciPy 1.17.1: binomtest(correct, images).proportion_ci(method="wilson").
TEST(WilsonIntervalTest, GivesKnownValues) {
  const auto expect = [](int correct, int images, double low, double high) {
    const Interval interval = wilson_interval(correct, images);
    EXPECT_NEAR(interval.low, low, 1e-12) << correct << " of " << images;
    EXPECT_NEAR(interval.high, high, 1e-12) << correct << " of " << images;
  };
  expect(100, 100, 0.9630065017930143, 1.0);
  expect(99, 100, 0.9455138038212946, 0.9982325679358593);
  expect(88, 100, 0.8018790057328857, 0.9300059356298052);
  expect(8, 10, 0.4901624715366418, 0.9433178485456248);
  expect(0, 10, 0.0, 0.27753279986288926);
  expect(1, 1, 0.20654931437723745, 1.0);
}

TEST(WilsonIntervalTest, HoldsTheRateAndLiesInZeroToOne) {
  for (int images : {1, 7, 100, 10'000}) {
    for (int correct = 0; correct <= images; correct += 1 + images / 50) {
      const Interval interval = wilson_interval(correct, images);
      EXPECT_LE(0, interval.low);
      EXPECT_LE(interval.low, static_cast<double>(correct) / images + 1e-12);
      EXPECT_LE(static_cast<double>(correct) / images, interval.high + 1e-12);
      EXPECT_LE(interval.high, 1);
    }
  }
}

}  // namespace
}  // namespace ranksweep::results
