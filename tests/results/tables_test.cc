#include "results/tables.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

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
  EXPECT_EQ(
      names_of(table),
      (std::vector<std::string>{
          "rank", "val_loss", "val_accuracy", "architecture", "learning_rate", "augmentation",
          "training", "mark", "best_epoch", "val_accuracy_low", "val_accuracy_high", "train_loss",
          "train_accuracy", "seconds", "network_parameters", "attempts", "trial"}));
  ASSERT_EQ(table.rows.size(), 40u);
  EXPECT_EQ(table.rows[0][0], Cell(std::int64_t{1}));
  EXPECT_EQ(table.rows[0][3], Cell("inception_resnet_v2"));
  EXPECT_EQ(table.rows[0][4], Cell(1e-4));
  EXPECT_EQ(table.rows[39][0], Cell());
  EXPECT_EQ(table.rows[39][1], Cell());
  EXPECT_EQ(table.rows[39][7], Cell("pending"));
  EXPECT_EQ(rank_table(reader, {.by = {}, .limit = 3}).rows.size(), 3u);
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
