#include "results/sqlite_store.h"

#include <limits>

#include <gmock/gmock.h>

#include "tests/results/store_fixture.h"

namespace ranksweep::results {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;
using ::testing::HasSubstr;
using testing::metrics_of;
using ::testing::ThrowsMessage;

class SqliteStoreTest : public testing::StoreFixture {};

TEST_F(SqliteStoreTest, KeepsThePlanAsPendingTrialsOnceItIsOpen) {
  const auto store = open();
  EXPECT_EQ(
      ask("SELECT position, identity, state FROM sweep_trial JOIN trial ON id = trial "
          "ORDER BY position LIMIT 2"),
      "1|" + plan_.trials[0].id.hex() + "|pending\n2|" + plan_.trials[1].id.hex() + "|pending\n");
  EXPECT_EQ(ask("SELECT type, value, typeof(value) FROM parameter WHERE trial = 1 AND name IN "
                "('architecture', 'batch_size', 'learning_rate', "
                "'frozen_until', 'image_size') ORDER BY name"),
            "text|simple_cnn|text\ninteger|10|integer\nnull|NULL|null\n"
            "json|[150,150]|text\nreal|0.001|real\n");
  EXPECT_EQ(ask("SELECT name, classes, train_images, val_images, created_at FROM sweep"),
            "synthetic|[\"neutral\",\"smiling\"]|700|100|2025-03-01T08:00:00.250Z\n");
  EXPECT_EQ(ask("SELECT value FROM environment WHERE name = 'LibTorch'"), "2.11.0\n");
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok\n");  // the CHECKs too, which were off meanwhile
  EXPECT_EQ(store->next_attempt(), 1);
}

TEST_F(SqliteStoreTest, AnAttemptSaysWhatItRanWith) {
  const auto store = open();
  store->commit(std::vector<Change>{started(1, 0), started(2, 1),
                                    AttemptDescribed{2, "bfloat16", "channels_last"}});
  EXPECT_EQ(ask("SELECT id, precision, memory_format FROM attempt"),
            "1||\n2|bfloat16|channels_last\n");
}

TEST_F(SqliteStoreTest, CountsTheAttemptsForWhichThereWasTooLittleMemory) {
  {
    const auto store = open();
    auto too_large = ended(1, 0, AttemptOutcome::failed, TrialState::pending);
    too_large.cause = sweeps::kOutOfMemory;
    store->commit(std::vector<Change>{started(1, 0), too_large, started(2, 0),
                                      ended(2, 0, AttemptOutcome::lost, TrialState::pending),
                                      started(3, 1)});
  }
  const std::vector<StoredTrial> trials = open()->load_trials();
  EXPECT_EQ(trials[0].failed_attempts, 2);
  EXPECT_EQ(trials[0].out_of_memory, 1);
  EXPECT_EQ(trials[1].out_of_memory, 0);
}

TEST_F(SqliteStoreTest, GivesBackWhatWasCommitted) {
  {
    const auto store = open();
    store->commit(std::vector<Change>{
        started(1, 0), recorded(1, 0, 1, 0.7), recorded(1, 0, 2, 0.6), recorded(1, 0, 2, 0.5),
        ended(1, 0, AttemptOutcome::finished, TrialState::finished), started(2, 1),
        ended(2, 1, AttemptOutcome::lost, TrialState::pending), started(3, 1),
        ended(3, 1, AttemptOutcome::interrupted, TrialState::pending), started(4, 1),
        recorded(4, 1, 1, 0.9), EventNoted{"joined", 3, "rank 3 joined"}});
  }
  const auto store = open();
  const std::vector<StoredTrial> trials = store->load_trials();
  ASSERT_EQ(trials.size(), 4u);
  EXPECT_EQ(trials[0].id, plan_.trials[0].id);
  EXPECT_EQ(trials[0].state, TrialState::finished);
  EXPECT_TRUE(trials[0].epochs.empty());  // it has ended
  EXPECT_EQ(trials[0].open_attempt, std::nullopt);
  EXPECT_EQ(trials[1].state, TrialState::running);
  EXPECT_EQ(trials[1].failed_attempts, 1);
  EXPECT_EQ(trials[1].open_attempt, 4);
  EXPECT_EQ(trials[1].epochs, (std::vector{metrics_of(1, 0.9)}));
  EXPECT_EQ(trials[2].state, TrialState::pending);
  EXPECT_EQ(store->next_attempt(), 5);
  EXPECT_EQ(ask("SELECT epoch, val_loss FROM epoch WHERE trial = 1 ORDER BY epoch"),
            "1|0.7\n2|0.5\n");
  EXPECT_EQ(ask("SELECT kind, rank, message, at FROM event"),
            "joined|3|rank 3 joined|2025-03-01T08:00:00.250Z\n");
  EXPECT_EQ(ask("SELECT count(*) FROM invocation"), "2\n");
}

TEST_F(SqliteStoreTest, KnowsWhatEveryIdleSecondWasSpentOn) {
  const auto store = open();
  const auto after = [&](int seconds, std::vector<Change> changes) {
    now_ += std::chrono::seconds(seconds);
    store->commit(changes);
  };
  const auto on_rank = [](AttemptStarted attempt, int rank) {
    attempt.rank = rank;
    return attempt;
  };
  after(1, {EventNoted{"joined", 0, ""}, EventNoted{"joined", 1, ""}});
  after(1, {on_rank(started(1, 0), 0), on_rank(started(2, 1), 1)});
  after(5, {recorded(1, 0, 1, 0.5)});  // 1.5 s long
  after(1, {ended(2, 1, AttemptOutcome::lost, TrialState::pending),
            EventNoted{"idle", 1, "kept for a trial on several devices"}});
  after(2, {ended(1, 0, AttemptOutcome::finished, TrialState::finished)});
  after(1, {on_rank(started(3, 1), 0), MemberAssigned{3, 0, 0, "node-a", "cpu"},
            MemberAssigned{3, 1, 1, "node-a", "cpu"}});
  after(4, {ended(3, 1, AttemptOutcome::finished, TrialState::finished),
            EventNoted{"idle", 0, "no trial waits"}, EventNoted{"idle", 1, "no trial waits"}});
  after(1, {on_rank(started(4, 2), 0)});
  after(2, {ended(4, 2, AttemptOutcome::interrupted, TrialState::pending)});
  EXPECT_EQ(ask("SELECT rank, reason, seconds FROM device_idle"),
            "0|dispatch|1.0\n"
            "0|start of a trial|3.5\n"
            "0|dispatch|1.0\n"
            "0|start of a trial|4.0\n"
            "0|no trial waits|1.0\n"
            "0|start of a trial|2.0\n"
            "1|dispatch|1.0\n"
            "1|start of a trial|6.0\n"
            "1|kept for a trial on several devices|3.0\n"
            "1|start of a trial|4.0\n"
            "1|no trial waits|3.0\n");
}

TEST_F(SqliteStoreTest, TakesTheTimesOfAttemptsFromItsClock) {
  const auto store = open();
  store->commit(std::vector<Change>{started(1, 0)});
  now_ += std::chrono::minutes(90);
  AttemptEnded end = ended(1, 0, AttemptOutcome::failed, TrialState::failed);
  end.cause = "data";
  end.message = "cannot read a.jpg";
  end.stderr_tail = "last words";
  end.parameters = 1234;
  store->commit(std::vector<Change>{end});
  EXPECT_EQ(ask("SELECT begun_at, ended_at, outcome, cause, message, stderr_tail, rank, host, "
                "device, threads FROM attempt"),
            "2025-03-01T08:00:00.250Z|2025-03-01T09:30:00.250Z|failed|data|cannot read a.jpg|"
            "last words|1|node-a|cpu|2\n");
  EXPECT_EQ(ask("SELECT state, network_parameters FROM trial WHERE id = 1"), "failed|1234\n");
}

TEST_F(SqliteStoreTest, DiscardsTheEpochsAfterTheLastKept) {
  const auto store = open();
  store->commit(std::vector<Change>{started(1, 0), recorded(1, 0, 1, 0.7), recorded(1, 0, 2, 0.6),
                                    recorded(1, 0, 3, 0.5),
                                    EpochsDiscarded{plan_.trials[0].id, 1}});
  EXPECT_EQ(store->load_trials()[0].epochs, (std::vector{metrics_of(1, 0.7)}));
}

// Whoever writes: the ranking goes by what stands beside the trial.
TEST_F(SqliteStoreTest, SumsUpTheEpochsOfATrialWheneverTheyChange) {
  const auto store = open();
  const std::string sum =
      "SELECT best_epoch, best_val_loss, epochs_done, total_s FROM trial WHERE id = 1";
  EXPECT_EQ(ask(sum), "NULL|NULL|0|0.0\n");
  store->commit(std::vector<Change>{started(1, 0), recorded(1, 0, 1, 0.7), recorded(1, 0, 2, 0.5),
                                    recorded(1, 0, 3, 0.5)});
  EXPECT_EQ(ask(sum), "2|0.5|3|4.5\n");
  // A query of the epochs may join their trial without saying whose column it means.
  EXPECT_EQ(ask("SELECT min(val_loss), sum(seconds) FROM epoch JOIN trial ON trial.id = trial"),
            "0.5|4.5\n");
  store->commit(std::vector<Change>{recorded(1, 0, 2, 0.75)});  // trained again
  EXPECT_EQ(ask(sum), "3|0.5|3|4.5\n");
  store->commit(std::vector<Change>{EpochsDiscarded{plan_.trials[0].id, 2}});
  EXPECT_EQ(ask(sum), "1|0.7|2|3.0\n");
  change_with_sqlite("UPDATE epoch SET val_loss = NULL WHERE epoch = 1");
  EXPECT_EQ(ask(sum), "2|0.75|2|3.0\n");
  change_with_sqlite("PRAGMA recursive_triggers = ON; DELETE FROM epoch");
  EXPECT_EQ(ask(sum), "NULL|NULL|0|0.0\n");
}

TEST_F(SqliteStoreTest, KeepsANumberThatIsNotFiniteAsNull) {
  const auto store = open();
  EpochRecorded epoch = recorded(1, 0, 1, std::numeric_limits<double>::quiet_NaN());
  epoch.metrics.train_loss = std::numeric_limits<double>::infinity();
  store->commit(std::vector<Change>{started(1, 0), epoch});
  EXPECT_EQ(ask("SELECT train_loss, val_loss, val_accuracy FROM epoch"), "NULL|NULL|0.5\n");
  EXPECT_TRUE(std::isnan(store->load_trials()[0].epochs.at(0).val_loss));
}

TEST_F(SqliteStoreTest, CommitsAllOrNothing) {
  const auto store = open();
  const Change unknown_trial =
      EpochsDiscarded{sweeps::TrialId("00000000000000000000000000000000"), 1};
  EXPECT_THAT(
      [&] {
        store->commit(std::vector<Change>{started(1, 0), unknown_trial});
      },
      ThrowsMessage<StoreError>(HasSubstr("trial 00000000 is not in the plan")));
  EXPECT_EQ(ask("SELECT count(*) FROM attempt"), "0\n");

  EXPECT_THROW(store->commit(std::vector<Change>{started(1, 0), recorded(7, 0, 1, 0.5)}),
               StoreError);
  EXPECT_EQ(ask("SELECT count(*) FROM attempt"), "0\n");

  store->commit(std::vector<Change>{started(1, 0), recorded(1, 0, 1, 0.5)});
  EXPECT_EQ(ask("SELECT count(*) FROM epoch"), "1\n");
}

TEST_F(SqliteStoreTest, EndsAnAttemptOnce) {
  const auto store = open();
  const Change end = ended(1, 0, AttemptOutcome::finished, TrialState::finished);
  store->commit(std::vector<Change>{started(1, 0), end});
  EXPECT_THAT([&] { store->commit(std::vector<Change>{end}); },
              ThrowsMessage<StoreError>(HasSubstr("attempt 1")));
}

TEST_F(SqliteStoreTest, AWriterThatIsHeldUpSaysSoAndCanGoOn) {
  const auto store = open();
  {
    SQLite::Database reader(path_.string(), SQLite::OPEN_READONLY);
    SQLite::Statement reading(reader, "SELECT * FROM trial");
    ASSERT_TRUE(reading.executeStep());
    EXPECT_THAT([&] { store->commit(std::vector<Change>{started(1, 0)}); },
                ThrowsMessage<StoreError>(HasSubstr("another program holds the database")));
  }
  EXPECT_EQ(store->next_attempt(), 1);
  store->commit(std::vector<Change>{started(1, 0)});
  EXPECT_EQ(store->next_attempt(), 2);
}

TEST_F(SqliteStoreTest, AChangedPlanExtendsTheSweep) {
  open()->commit(std::vector<Change>{started(1, 0), recorded(1, 0, 1, 0.5),
                                     ended(1, 0, AttemptOutcome::finished, TrialState::finished),
                                     started(2, 1),
                                     ended(2, 1, AttemptOutcome::finished, TrialState::finished)});
  const sweeps::Plan before = plan_;
  sweep_.trials = 6;
  plan_ = testing::synthetic_plan(sweep_);
  plan_.swept.push_back("batch_size");
  std::swap(plan_.trials[0], plan_.trials[5]);
  plan_.trials.erase(plan_.trials.begin() + 1);
  const auto store = open();
  const std::vector<StoredTrial> trials = store->load_trials();
  ASSERT_EQ(trials.size(), 5u);
  EXPECT_EQ(trials[0].id, plan_.trials[0].id);
  EXPECT_EQ(trials[0].state, TrialState::pending);
  EXPECT_EQ(trials[4].id, before.trials[0].id);
  EXPECT_EQ(trials[4].state, TrialState::finished);
  EXPECT_EQ(ask("SELECT state FROM trial WHERE identity = '" + before.trials[1].id.hex() + "'"),
            "finished\n");
  EXPECT_EQ(ask("SELECT count(*) FROM trial"), "6\n");
  EXPECT_EQ(ask("SELECT count(*) FROM epoch"), "1\n");
  EXPECT_EQ(ask("SELECT count(*) FROM ranking"), "5\n");
  EXPECT_EQ(ask("SELECT batch_size FROM trial_wide WHERE rank = 1"), "10\n");
}

TEST_F(SqliteStoreTest, APlanThatIsThereIsNotWrittenAgain) {
  open();
  change_with_sqlite("UPDATE sweep_trial SET description = 'as it was'");
  const std::string count = "SELECT count(*) FROM sweep_trial WHERE description = 'as it was'";
  EXPECT_EQ(open()->load_trials().size(), 4u);
  EXPECT_EQ(ask(count), "4\n");
  plan_.trials[2].cost += 1;
  open();
  EXPECT_EQ(ask(count), "0\n");
}

TEST_F(SqliteStoreTest, KeepsMetricsOfAnyNameWithTheirEpoch) {
  const auto store = open();
  EpochRecorded first = recorded(1, 0, 1, 0.5);
  first.own_metrics = {{"f1", 0.25}, {"of a class", 1}};
  EpochRecorded second = recorded(1, 0, 2, 0.4);
  second.own_metrics = {{"f1", 0.75}};
  store->commit(std::vector<Change>{started(1, 0), first, second});
  const std::string all = "SELECT epoch, name, value FROM epoch_metric ORDER BY epoch, name";
  EXPECT_EQ(ask(all), "1|f1|0.25\n1|of a class|1.0\n2|f1|0.75\n");
  first.own_metrics = {{"f1", 0.5}};
  store->commit(std::vector<Change>{EpochsDiscarded{plan_.trials[0].id, 1}, first});
  EXPECT_EQ(ask(all), "1|f1|0.5\n");
}

}  // namespace
}  // namespace ranksweep::results
