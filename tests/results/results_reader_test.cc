#include "results/results_reader.h"

#include <fstream>
#include <functional>
#include <signal.h>
#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "results/database.h"
#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ResultsReaderTest : public ::testing::Test {
 protected:
  ResultsReaderTest() { testing::write_synthetic_sweep(path_); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
};

TEST_F(ResultsReaderTest, ReadsTheSweepAndWhereItCameFrom) {
  ResultsReader reader(path_);
  const SweepInfo info = reader.sweep();
  EXPECT_EQ(info.name, "synthetic");
  EXPECT_EQ(info.classes, (std::vector<std::string>{"neutral", "smiling"}));
  EXPECT_EQ(info.created_at, "2025-03-01T08:00:00.000Z");
  EXPECT_EQ(info.swept, (std::vector<std::string>{"architecture", "learning_rate", "augmentation",
                                                  "training"}));
  const std::vector<Invocation> invocations = reader.invocations();
  ASSERT_EQ(invocations.size(), 1u);
  EXPECT_THAT(invocations[0].environment,
              ::testing::Contains(std::pair<std::string, std::string>("LibTorch", "2.11.0")));
}

TEST_F(ResultsReaderTest, ReadsTrialsAttemptsAndEpochs) {
  ResultsReader reader(path_);
  const std::vector<RankedTrial> ranking = reader.ranking();
  ASSERT_EQ(ranking.size(), 40u);
  EXPECT_EQ(ranking[0].rank, 1);
  EXPECT_EQ(ranking[39].mark, Mark::pending);
  const auto epochs = reader.epochs(ranking[0].trial);
  ASSERT_EQ(static_cast<int>(epochs.size()), ranking[0].epochs_done);
  const auto best = epochs.at(static_cast<std::size_t>(ranking[0].best_epoch.value() - 1));
  EXPECT_EQ(best.val_loss, ranking[0].val_loss);
  EXPECT_EQ(best.train_accuracy, ranking[0].train_accuracy);
  double seconds = 0;
  for (const auto& epoch : epochs) seconds += epoch.seconds;
  EXPECT_NEAR(seconds, ranking[0].seconds, 1e-9);
  const std::vector<Attempt> attempts = reader.attempts();
  EXPECT_EQ(attempts.front().id, 1);
  EXPECT_EQ(attempts.front().begun_at, "2025-03-01T08:00:00.000Z");
  EXPECT_THAT(reader.values_of("architecture"), ::testing::SizeIs(40));
  EXPECT_THAT(reader.parameters(ranking[0].trial),
              ::testing::Contains(::testing::Field(&Parameter::name, "batch_size")));
}

TEST_F(ResultsReaderTest, FindsATrialByTheFirstDigitsOfItsIdentity) {
  ResultsReader reader(path_);
  const std::string hex = reader.ranking()[7].trial.hex();
  EXPECT_EQ(reader.find_trial(hex).hex(), hex);
  EXPECT_EQ(reader.find_trial(hex.substr(0, 8)).hex(), hex);
  EXPECT_THAT([&] { reader.find_trial("xyz"); },
              ThrowsMessage<StoreError>(HasSubstr("no trial of the plan begins with 'xyz'")));
  EXPECT_THAT([&] { reader.find_trial(""); },
              ThrowsMessage<StoreError>(AllOf(HasSubstr("40 trials begin with ''"),
                                              HasSubstr("simple_cnn"), HasSubstr("..."))));
}

TEST_F(ResultsReaderTest, AnswersQueries) {
  ResultsReader reader(path_);
  const Table table = reader.query(
      "SELECT count(*) AS n, 1.5 AS x, 'a' AS t, NULL AS z, x'00ff' AS b, 2 AS n FROM trial; -- "
      "end");
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0],
            (std::vector<Cell>{std::int64_t{40}, 1.5, "a", {}, "x'00ff'", std::int64_t{2}}));
  EXPECT_EQ(table.columns[5].name, "n:2");
}

TEST_F(ResultsReaderTest, RefusesQueriesThatAreNone) {
  ResultsReader reader(path_);
  const auto asking = [&](const char* sql) { return [&reader, sql] { reader.query(sql); }; };
  EXPECT_THAT(asking("DELETE FROM epoch"),
              ThrowsMessage<StoreError>(HasSubstr("would change the database")));
  EXPECT_THAT(asking("SELECT 1; DROP TABLE epoch"),
              ThrowsMessage<StoreError>(HasSubstr("more than one statement")));
  EXPECT_THAT(asking(" -- nothing"), ThrowsMessage<StoreError>(HasSubstr("empty")));
  EXPECT_THAT(asking("SELECT lost FROM ranking"),
              ThrowsMessage<StoreError>(HasSubstr("no such column: lost")));
  EXPECT_THAT(asking("SELECT abs(-9223372036854775808)"),
              ThrowsMessage<StoreError>(HasSubstr("integer overflow")));
}

TEST_F(ResultsReaderTest, CannotWriteHoweverItIsAsked) {
  ResultsReader reader(path_);
  EXPECT_THROW(reader.query("PRAGMA user_version = 9"), StoreError);
  EXPECT_THROW(reader.query("CREATE TEMP TABLE t AS SELECT 1"), StoreError);
  EXPECT_EQ(std::get<std::int64_t>(reader.query("PRAGMA user_version").rows[0][0]), kSchemaVersion);
}

TEST_F(ResultsReaderTest, ReadsWhileASweepWrites) {
  const testing::SyntheticSweep sweep;
  const sweeps::Plan plan = testing::synthetic_plan(sweep);
  const auto store = SqliteStore::open_for_sweep(path_, plan, testing::synthetic_provenance(sweep));
  ResultsReader reader(path_);
  const std::size_t before = reader.attempts().size();
  store->commit(std::vector<Change>{
      AttemptStarted{store->next_attempt(), plan.trials[39].id, 0, "host", "cpu", 1}});
  EXPECT_EQ(reader.attempts().size(), before + 1);
}

TEST_F(ResultsReaderTest, SeesOneMomentAcrossSeveralReads) {
  ResultsReader reader(path_);
  reader.at_one_moment([&] {
    const std::size_t attempts = reader.attempts().size();
    SQLite::Database writer(path_.string(), SQLite::OPEN_READWRITE);
    EXPECT_THROW(writer.exec("INSERT INTO attempt SELECT 9999, 1, 1, 0, '', '', 0, '', NULL, NULL, "
                             "'', '', ''"),
                 SQLite::Exception);  // the writer waits until the reader is done
    EXPECT_EQ(reader.attempts().size(), attempts);
  });
}

TEST_F(ResultsReaderTest, ReadsAfterAWriterWasKilledInsideATransaction) {
  const std::size_t trials = ResultsReader(path_).ranking().size();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE);
    database.exec(
        "PRAGMA cache_size = 1; BEGIN; DELETE FROM epoch; DELETE FROM sweep_trial;"
        "CREATE TABLE large AS SELECT randomblob(4000) FROM parameter");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(exists(folder_ / "results.db-journal"));
  EXPECT_EQ(ResultsReader(path_).ranking().size(), trials);
}

TEST_F(ResultsReaderTest, RefusesWhatIsNoDatabase) {
  const auto opening = [](const std::filesystem::path& path) {
    return [path] { ResultsReader reader(path); };
  };
  EXPECT_THAT(opening(folder_ / "missing.db"),
              ThrowsMessage<StoreError>(HasSubstr("there is no such file")));
  EXPECT_FALSE(exists(folder_ / "missing.db"));
  std::ofstream(folder_ / "notes.txt") << "precious notes";
  EXPECT_THAT(opening(folder_ / "notes.txt"),
              ThrowsMessage<StoreError>(HasSubstr("no ranksweep database")));
  std::ofstream{folder_ / "empty.db"};
  EXPECT_THAT(opening(folder_ / "empty.db"),
              ThrowsMessage<StoreError>(HasSubstr("no ranksweep database")));
  SQLite::Database(path_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  EXPECT_THAT(opening(path_), ThrowsMessage<StoreError>(HasSubstr("newer")));
}

}  // namespace
}  // namespace ranksweep::results
