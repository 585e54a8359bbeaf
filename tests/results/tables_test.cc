#include "results/tables.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "results/metric.h"
#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

class TablesTest : public ::testing::Test {
 protected:
  TablesTest() { testing::write_synthetic_sweep(path_); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
};

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

TEST_F(TablesTest, RanksWithTheValuesOfTheSweptParameters) {
  ResultsReader reader(path_);
  const Table table = rank_table(reader);
  EXPECT_EQ(names_of(table), (std::vector<std::string>{"rank",
                                                       "val_loss",
                                                       "val_accuracy",
                                                       "architecture",
                                                       "learning_rate",
                                                       "augmentation",
                                                       "training",
                                                       "mark",
                                                       "like_best",
                                                       "best_epoch",
                                                       "val_loss_low",
                                                       "val_loss_high",
                                                       "val_accuracy_low",
                                                       "val_accuracy_high",
                                                       "train_loss",
                                                       "train_accuracy",
                                                       "seconds",
                                                       "network_parameters",
                                                       "attempts",
                                                       "trial"}));
  ASSERT_EQ(table.rows.size(), 40u);
  EXPECT_EQ(table.rows[0][0], Cell(std::int64_t{1}));
  EXPECT_EQ(table.rows[0][3], Cell("inception_resnet_v2"));
  EXPECT_EQ(table.rows[0][4], Cell(1e-4));
  EXPECT_EQ(table.rows[39][0], Cell());
  EXPECT_EQ(table.rows[39][1], Cell());
  EXPECT_EQ(table.rows[39][7], Cell("pending"));
  EXPECT_EQ(rank_table(reader, {.by = {}, .limit = 3}).rows.size(), 3u);
}

TEST_F(TablesTest, MarksWhatCannotBeToldFromTheBest) {
  ResultsReader reader(path_);
  const Table table = rank_table(reader);
  EXPECT_EQ(table.rows[0][8], Cell());  // the best itself
  EXPECT_EQ(table.rows[1][8], Cell("yes"));
  EXPECT_EQ(table.rows[29][8], Cell("no"));
  EXPECT_EQ(table.rows[30][8], Cell());  // collapsed
  for (const auto& row : table.rows) {
    if (row[0] == Cell()) continue;
    EXPECT_LT(std::get<double>(row[10]), std::get<double>(row[1]));
    EXPECT_GT(std::get<double>(row[11]), std::get<double>(row[1]));
  }
  // However few are shown, and whatever they are ordered by.
  EXPECT_EQ(rank_table(reader, {.by = {}, .limit = 2}).rows[1], table.rows[1]);
  for (const auto& row : rank_table(reader, {.by = {}, .limit = 3, .metric = "seconds"}).rows) {
    const auto same = std::ranges::find_if(
        table.rows, [&](const auto& other) { return other.back() == row.back(); });
    EXPECT_EQ((*same)[8], row[8]);
  }
}

TEST_F(TablesTest, RanksByAnotherMetric) {
  ResultsReader reader(path_);
  for (const Metric& metric : metrics()) {
    std::vector<RankedTrial> ranking = reader.ranking();
    const std::size_t size = ranking.size();
    rank_by(metric, ranking);
    ASSERT_EQ(ranking.size(), size);
    for (std::size_t i = 1; i < ranking.size(); ++i) {
      EXPECT_EQ(ranking[i].position, static_cast<int>(i) + 1);
      if (!ranking[i].rank) continue;
      EXPECT_EQ(ranking[i].rank, static_cast<int>(i) + 1);
      EXPECT_EQ(ranking[i].mark, Mark::finished);
      const double before = metric.of(ranking[i - 1]).value();
      const double here = metric.of(ranking[i]).value();
      EXPECT_TRUE(metric.higher_is_better ? before >= here : before <= here) << metric.name;
    }
  }
  EXPECT_EQ(rank_table(reader, {.by = {}, .limit = {}, .metric = "val_loss"}).rows,
            rank_table(reader).rows);
  const Table grouped =
      rank_table(reader, {.by = {"architecture"}, .limit = {}, .metric = "val_accuracy"});
  EXPECT_EQ(grouped.columns[2].name, "median_val_accuracy");
  EXPECT_GE(grouped.rows[0][2], grouped.rows[1][2]);
  // Nothing was tested: no rank.
  EXPECT_EQ(rank_table(reader, {.by = {}, .limit = 1, .metric = "test_loss"}).rows[0][0], Cell());
}

TEST_F(TablesTest, TheFirstRowsAreThoseOfTheWholeRanking) {
  ResultsReader reader(path_);
  for (const char* metric : {"val_loss", "seconds"}) {
    std::vector<std::vector<Cell>> rows =
        rank_table(reader, {.by = {}, .limit = {}, .metric = metric}).rows;
    rows.resize(7);
    EXPECT_EQ(rank_table(reader, {.by = {}, .limit = 7, .metric = metric}).rows, rows);
  }
}

TEST_F(TablesTest, WithoutPredictionsThereIsNoComparisonAndNoInterval) {
  const auto other = folder_ / "other.db";
  testing::write_synthetic_sweep(other, {.predictions = false});
  ResultsReader reader(other);
  for (const auto& row : rank_table(reader).rows) {
    EXPECT_EQ(row[8], Cell());
    EXPECT_EQ(row[10], Cell());
  }
}

TEST_F(TablesTest, GroupsRepeatsByParameters) {
  ResultsReader reader(path_);
  const Table table = rank_table(reader, {.by = {"architecture"}, .limit = {}});
  EXPECT_EQ(names_of(table),
            (std::vector<std::string>{"architecture", "ranked_trials", "median_val_loss",
                                      "min_val_loss", "max_val_loss"}));
  ASSERT_EQ(table.rows.size(), 5u);
  double before = 0;
  std::int64_t trials = 0;
  for (const auto& row : table.rows) {
    const double median = std::get<double>(row[2]);
    EXPECT_LE(before, median);
    EXPECT_LE(std::get<double>(row[3]), median);
    EXPECT_LE(median, std::get<double>(row[4]));
    trials += std::get<std::int64_t>(row[1]);
    before = median;
  }
  EXPECT_EQ(trials, 30);
  EXPECT_EQ(
      std::get<double>(table.rows[1][2]),
      std::get<double>(
          reader
              .query("SELECT val_loss FROM ranking JOIN trial_wide USING (trial, val_loss) "
                     "WHERE architecture = 'inception_resnet_v2' AND ranking.rank IS NOT NULL "
                     "ORDER BY val_loss LIMIT 1 OFFSET 3")
              .rows[0][0]));
  EXPECT_THAT([&] { rank_table(reader, {.by = {"colour"}, .limit = {}}); },
              ThrowsMessage<StoreError>(HasSubstr("no trial has a parameter 'colour'")));
}

TEST_F(TablesTest, TabulatesAsTheStudyDid) {
  ResultsReader reader(path_);
  const Table table = study_table(reader.ranking());
  EXPECT_EQ(names_of(table),
            (std::vector<std::string>{"model", "min_val_loss_epoch", "min_val_loss", "val_accuracy",
                                      "train_loss", "train_accuracy"}));
  EXPECT_EQ(table.rows.size(), 36u);  // without those that have no epoch yet
}

TEST_F(TablesTest, CountsTrialsByMark) {
  ResultsReader reader(path_);
  EXPECT_EQ(render(status_table(reader.ranking()), TableFormat::csv),
            "mark,trials\r\nfinished,30\r\ncollapsed,2\r\ndiverged,2\r\nfailed,1\r\nrunning,2\r\n"
            "pending,3\r\n");
}

TEST_F(TablesTest, TellsWhatRuns) {
  ResultsReader reader(path_);
  const Table table = running_table(reader);
  EXPECT_EQ(names_of(table),
            (std::vector<std::string>{"rank", "host", "device", "trial", "description", "begun_at",
                                      "epoch", "val_loss", "val_accuracy"}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0][6], Cell(std::int64_t{9}));
}

TEST_F(TablesTest, NoDeviceIsInEpochsForLongerThanItWasHeld) {
  ResultsReader reader(path_);
  for (const auto& row : device_table(reader).rows) {
    EXPECT_LE(std::get<double>(row[7]), std::get<double>(row[6]));
    EXPECT_LE(std::get<double>(row[8]), std::get<double>(row[7]));
  }
}

TEST_F(TablesTest, ShowsOneTrial) {
  ResultsReader reader(path_);
  const auto failed = reader.query("SELECT trial FROM ranking WHERE mark = 'failed'").rows[0][0];
  const auto& id = std::get<std::string>(failed);
  const std::string text = show_trial(reader, id.substr(0, 10), TableFormat::text);
  EXPECT_THAT(text, HasSubstr(id + "  inception_v3"));
  EXPECT_THAT(text, HasSubstr("\nfailed\n"));
  EXPECT_THAT(text, HasSubstr("signal 9 (SIGKILL)"));
  EXPECT_THAT(text, HasSubstr("Last lines of attempt 19:\n  loading weights\n  epoch 1\n"));
  EXPECT_THAT(text, HasSubstr("batch_size"));
}

TEST_F(TablesTest, ShowsOneTrialToPrograms) {
  ResultsReader reader(path_);
  const RankedTrial best = reader.ranking()[0];
  const auto json = nlohmann::json::parse(show_trial(reader, best.trial.hex(), TableFormat::json));
  EXPECT_EQ(json["rank"], 1);
  EXPECT_EQ(json["mark"], "finished");
  EXPECT_EQ(json["attempts"].size(), 1u);
  EXPECT_EQ(static_cast<int>(json["epochs"].size()), best.epochs_done);
  const std::string csv = show_trial(reader, best.trial.hex(), TableFormat::csv);
  EXPECT_THAT(csv, ::testing::StartsWith("epoch,train_loss,train_accuracy,val_loss"));
}

TEST(HostileTablesTest, ATerminalIsNotObeyed) {
  const TemporaryFolder folder;
  testing::write_synthetic_sweep(folder / "results.db", {.user_text = "\x1b[2J\x07\r\n\xff"});
  ResultsReader reader(folder / "results.db");
  const auto failed = reader.query("SELECT trial FROM ranking WHERE mark = 'failed'").rows[0][0];
  const std::string shown = show_trial(reader, std::get<std::string>(failed), TableFormat::text) +
                            render(rank_table(reader), TableFormat::text) +
                            render(running_table(reader), TableFormat::text);
  for (const char* forbidden : {"\x1b", "\x07", "\r", "\xff"}) {
    EXPECT_THAT(shown, Not(HasSubstr(forbidden)));
  }
}

}  // namespace
}  // namespace ranksweep::results
