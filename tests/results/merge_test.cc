#include "results/merge.h"

#include <fstream>
#include <iterator>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "results/comparison.h"
#include "results/results_reader.h"
#include "results/sweep_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class MergeTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const testing::SyntheticSweep& sweep) {
    testing::write_synthetic_sweep(folder_ / name, sweep);
    return folder_ / name;
  }

  static void change(const fs::path& database, const std::string& sql) {
    SQLite::Database(database.string(), SQLite::OPEN_READWRITE).exec(sql);
  }

  // A copy in which only the trials that `kept` says were ever tried.
  fs::path part(const fs::path& whole, const std::string& name, const std::string& kept) {
    fs::copy_file(whole, folder_ / name);
    change(folder_ / name,
           "CREATE TEMP TABLE gone AS SELECT trial FROM sweep_trial WHERE NOT (" + kept +
               ");"
               "DELETE FROM prediction WHERE trial IN gone;"
               "DELETE FROM epoch WHERE trial IN gone; DELETE FROM attempt WHERE trial IN gone;"
               "UPDATE trial SET state = 'pending', network_parameters = NULL WHERE id IN gone;");
    return folder_ / name;
  }

  // Every row of a table without its number, in no order.
  static std::multiset<std::string> content(const fs::path& database, const std::string& table) {
    ResultsReader reader(database);
    Table rows = reader.query("SELECT * FROM " + table);
    std::multiset<std::string> content;
    for (auto& row : rows.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string& name = rows.columns[i].name;
        if (name == "id" || name == "attempt" || name == "invocation" || name == "trial")
          row[i] = {};
      }
      content.insert(render({rows.columns, {row}}, TableFormat::csv));
    }
    return content;
  }

  TemporaryFolder folder_;
  fs::path merged_ = folder_ / "all.db";
};

TEST_F(MergeTest, PartsOfASweepGiveTheWhole) {
  const fs::path whole = write("whole.db", {});
  const fs::path odd = part(whole, "odd.db", "position % 2 = 1");
  const fs::path even = part(whole, "even.db", "position % 2 = 0");
  EXPECT_EQ(merge_databases({odd, even}, merged_),
            "40 trials of 2 databases, 40 of them in more than one: 2 diverged, 1 failed, 32 "
            "finished, 3 pending, 2 running\n");
  ResultsReader reader(merged_);
  ResultsReader reference(whole);
  const Comparison comparison(reader.ranking(), reference.ranking());
  EXPECT_TRUE(comparison.all_equal()) << comparison.summary();
  EXPECT_EQ(render(reader.query("SELECT * FROM trial_wide"), TableFormat::csv),
            render(reference.query("SELECT * FROM trial_wide"), TableFormat::csv));
  EXPECT_EQ(reader.query("PRAGMA foreign_key_check").rows.size(), 0u);
  EXPECT_EQ(reader.query("PRAGMA integrity_check").rows,
            reference.query("PRAGMA integrity_check").rows);
  EXPECT_EQ(reader.attempts().size(), reference.attempts().size());
  EXPECT_EQ(reader.invocations().size(), 2u);
}

TEST_F(MergeTest, NoTableIsForgotten) {
  const fs::path whole = write("whole.db", {});
  change(
      whole,
      "INSERT INTO skipped_file VALUES (1, 'a.jpg', 'is empty');"
      "INSERT INTO epoch_metric VALUES (1, 1, 'f1', 0.5);"
      "INSERT INTO attempt_member VALUES (1, 0, 0, 'node-a', 'cuda:0');"
      "INSERT INTO measured_step VALUES (1, 'resnet50', 'full', 32, 32, 8, 'float32', "
      "'contiguous', 'cpu', 2, 0.5);"
      "INSERT INTO test_result SELECT trial, epoch, 'now', 0.5, 0.5, 2, images, classes, loss_low, "
      "loss_high, left_out, log_probabilities FROM prediction LIMIT 1;"
      "INSERT INTO event (invocation, at, kind, rank, message) VALUES (1, 'now', 'joined', 1, '')");
  merge_databases({whole}, merged_);
  ResultsReader reader(whole);
  const Table tables = reader.query("SELECT name FROM sqlite_schema WHERE type = 'table'");
  for (const auto& row : tables.rows) {
    const auto& table = std::get<std::string>(row[0]);
    const auto before = content(whole, table);
    EXPECT_FALSE(before.empty()) << table << ": put a row into it in this test";
    EXPECT_EQ(content(merged_, table), before) << table;
  }
}

TEST_F(MergeTest, AnEndedTrialBeatsOneThatDidNotGetSoFar) {
  const fs::path whole = write("whole.db", {.complete = true});
  const fs::path early = folder_ / "early.db";
  fs::copy_file(whole, early);
  change(early,
         "DELETE FROM epoch WHERE epoch > 3 AND trial IN (SELECT id FROM trial WHERE state = "
         "'finished');"
         "UPDATE attempt SET outcome = NULL, ended_at = NULL WHERE outcome = 'finished';"
         "UPDATE trial SET state = 'running' WHERE state = 'finished'");
  merge_databases({early, whole}, merged_);
  ResultsReader reader(merged_);
  ResultsReader reference(whole);
  EXPECT_TRUE(Comparison(reader.ranking(), reference.ranking()).all_equal());
  EXPECT_EQ(reader.query("SELECT trial FROM ranking WHERE mark = 'running'").rows.size(), 0u);
}

TEST_F(MergeTest, SweepsOverTheSameImagesBecomeOne) {
  const fs::path first = write("first.db", {.name = "first", .trials = 3, .complete = true});
  const fs::path second = write("second.db", {.name = "second"});
  merge_databases({first, second}, merged_);
  ResultsReader reader(merged_);
  EXPECT_EQ(reader.sweep().name, "first + second");
  EXPECT_EQ(reader.ranking().size(), 40u);  // the three of the first are in the second too
  EXPECT_EQ(reader.query("SELECT DISTINCT trial FROM ranking").rows.size(), 40u);
  EXPECT_EQ(reader.query("SELECT name FROM sweep").rows.size(), 1u);
}

TEST_F(MergeTest, TheSameEndTwiceIsNoContradiction) {
  const fs::path whole = write("whole.db", {.complete = true});
  fs::copy_file(whole, folder_ / "copy.db");
  merge_databases({whole, folder_ / "copy.db"}, merged_);
  ResultsReader reader(merged_);
  EXPECT_EQ(reader.ranking().size(), 40u);
}

TEST_F(MergeTest, TwoEndsWithOtherFiguresAreRefused) {
  const fs::path whole = write("whole.db", {.complete = true});
  const fs::path other = folder_ / "other.db";
  fs::copy_file(whole, other);
  change(other, "UPDATE epoch SET val_loss = val_loss + 1e-15 WHERE trial = 1 AND epoch = 2");
  EXPECT_THAT(
      [&] {
        merge_databases({whole, other}, merged_);
      },
      ThrowsMessage<StoreError>(AllOf(HasSubstr("whole.db and in "), HasSubstr("other.db"),
                                      HasSubstr("ranksweep compare"))));
  EXPECT_FALSE(fs::exists(merged_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 2)
      << "nothing but the two databases";
}

TEST_F(MergeTest, OtherImagesAreRefused) {
  const fs::path first = write("first.db", {.name = "first"});
  const fs::path second = write("second.db", {.name = "second"});
  change(second, "UPDATE sweep SET data_fingerprint = 'ffff'");
  EXPECT_THAT(
      [&] {
        merge_databases({first, second}, merged_);
      },
      ThrowsMessage<StoreError>(HasSubstr("their sweeps saw different images")));
}

TEST_F(MergeTest, NeverOverwrites) {
  const fs::path first = write("first.db", {});
  EXPECT_THAT([&] { merge_databases({first}, first); },
              ThrowsMessage<StoreError>(HasSubstr("nothing is overwritten")));
}

}  // namespace
}  // namespace ranksweep::results
