#include "results/import/keras_import.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "results/report.h"
#include "results/results_reader.h"
#include "results/sweep_store.h"
#include "results/tables.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class KerasImportTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  void import(const std::vector<ImportedLog>& logs) {
    write_keras_import(database_, logs, {.command_line = "ranksweep import-keras", .host = "here"},
                       testing::synthetic_begin);
  }

  TemporaryFolder folder_;
  fs::path database_ = folder_ / "keras.db";
};

const fs::path kSmallLog = RANKSWEEP_SOURCE_DIR "/tests/results/logs/small_cnn.log";

TEST_F(KerasImportTest, MakesADatabaseLikeThatOfASweep) {
  const auto logs = read_keras_logs({kSmallLog});
  import(logs);
  ResultsReader reader(database_);
  EXPECT_EQ(reader.sweep().name, "keras");
  const auto ranking = reader.ranking();
  ASSERT_EQ(ranking.size(), 1u);
  EXPECT_EQ(ranking[0].rank, 1);
  EXPECT_EQ(ranking[0].description, "small_cnn");
  EXPECT_EQ(ranking[0].best_epoch, 4);  // of two with that loss the first
  EXPECT_EQ(ranking[0].val_loss, 0.034);
  EXPECT_EQ(ranking[0].train_loss, std::nullopt);
  EXPECT_EQ(reader.query("SELECT message FROM event WHERE kind = 'import'").rows.size(), 4u);
  EXPECT_EQ(reader.query("PRAGMA foreign_key_check").rows.size(), 0u);
  EXPECT_THAT(show_trial(reader, "", TableFormat::text), HasSubstr("small_cnn"));
  EXPECT_THAT(report_html(reader), HasSubstr("small_cnn"));
}

TEST_F(KerasImportTest, SaysWithFileAndLineWhatItCouldNotPlace) {
  const std::string text = describe_import(read_keras_logs({kSmallLog})[0]);
  EXPECT_THAT(text, HasSubstr("small_cnn.log: 6 of 8 epochs have their figures\n"));
  EXPECT_THAT(text, HasSubstr("small_cnn.log:15: may be any epoch from 7 to 8"));
}

TEST_F(KerasImportTest, ExplainsWhatDiffersFromAPublishedTable) {
  const auto logs = read_keras_logs({kSmallLog});
  const auto compared = [&](const std::string& row) {
    return compare_import(
        read_published_table(write("table.csv", "model,min_val_loss_epoch,min_val_loss\n" + row)),
        logs);
  };
  EXPECT_EQ(compared("Small CNN,4,0.034\n"), "Small CNN: as published\n");
  EXPECT_EQ(compared("Small CNN,5,0.0340\n"),
            "Small CNN: not as published: the row of epoch 5 is lost (line 10 has its heading "
            "alone); the lowest loss left is 0.034, epoch 4; the published loss itself is left at "
            "epoch 4, epoch 7 to 8\n");
  EXPECT_EQ(compared("Small CNN,8,0.0100\n"),
            "Small CNN: not as published: the row of epoch 8 is lost: line 15 holds epoch 7 to 8, "
            "with other figures; the lowest loss left is 0.034, epoch 4\n");
  EXPECT_EQ(compared("VGG,8,0.0100\n"), "VGG: published, but none of the logs is named so\n");
}

TEST_F(KerasImportTest, NeverOverwritesAndLeavesNothingBehind) {
  const auto logs = read_keras_logs({kSmallLog});
  write("keras.db", "mine");
  EXPECT_THAT([&] { import(logs); },
              ThrowsMessage<StoreError>(HasSubstr("is there already, and nothing is overwritten")));
  EXPECT_EQ(fs::file_size(database_), 4u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

TEST_F(KerasImportTest, TwoLogsOfOneModelAreAMistake) {
  fs::create_directory(folder_ / "other");
  fs::copy_file(kSmallLog, folder_ / "other/small_cnn.log");
  EXPECT_THAT(
      [&] {
        read_keras_logs({kSmallLog, folder_ / "other/small_cnn.log"});
      },
      ThrowsMessage<StoreError>(HasSubstr("both are named 'small_cnn'")));
}

TEST_F(KerasImportTest, RefusesATableThatItCannotRead) {
  const auto refused = [&](const std::string& text, const std::string& why) {
    const fs::path file = write("table.csv", text);
    EXPECT_THAT([&] { read_published_table(file); }, ThrowsMessage<StoreError>(HasSubstr(why)));
  };
  refused("", "cannot be read, or is empty");
  refused("model,loss\n", "table.csv:1: no column 'min_val_loss'");
  refused("model,min_val_loss\ncnn,low\n",
          "table.csv:2: 'low' in column min_val_loss is no number");
  refused("model,min_val_loss\n,0.5\n", "table.csv:2: the model has no name");
  refused("model,min_val_loss,min_val_loss_epoch\ncnn,0.5,0\n", "table.csv:2: '0' is no epoch");
}

TEST(PrintedNumber, AgreesToItsLastDigit) {
  const PublishedRow row = [] {
    TemporaryFolder folder;
    std::ofstream(folder / "table.csv")
        << "model,min_val_loss,val_accuracy,train_accuracy\n\"a, b\",1.0903e-07,94%,99.57 %\n";
    return read_published_table(folder / "table.csv").at(0);
  }();
  EXPECT_EQ(row.model, "a, b");
  EXPECT_TRUE(row.val_loss->agrees_with(1.09032e-7));
  EXPECT_FALSE(row.val_loss->agrees_with(1.0904e-7));
  EXPECT_TRUE(row.val_accuracy->agrees_with(0.9414));
  EXPECT_FALSE(row.val_accuracy->agrees_with(0.9456));
  EXPECT_TRUE(row.train_accuracy->agrees_with(0.9957));
  EXPECT_FALSE(row.train_accuracy->agrees_with(0.9958));
}

// The study that the project grew from, whose logs lost rows. Its files are not in the repository.
class StudyTest : public KerasImportTest {
 protected:
  void SetUp() override {
    if (!fs::exists(study_)) GTEST_SKIP() << study_ << " is not here";
    published_ = read_published_table(study_ / "published_ranking.csv");
    // The logs stand between fences, in the order of the table.
    std::ifstream file(study_ / "study.txt");
    std::vector<fs::path> files;
    std::ofstream log;
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("```")) {
        log << line << '\n';
      } else if (log.is_open()) {
        log.close();
      } else {
        files.push_back(folder_ / (published_.at(files.size()).model + ".log"));
        log.open(files.back());
      }
    }
    logs_ = read_keras_logs(files);
  }

  fs::path study_ = RANKSWEEP_SOURCE_DIR "/../shared/seed";
  std::vector<PublishedRow> published_;
  std::vector<ImportedLog> logs_;
};

TEST_F(StudyTest, IsRankedAsPublished) {
  import(logs_);
  ResultsReader reader(database_);
  const auto ranking = reader.ranking();
  ASSERT_EQ(ranking.size(), 5u);
  std::vector<std::string> order;
  for (const RankedTrial& trial : ranking) {
    EXPECT_TRUE(trial.rank.has_value());
    order.push_back(trial.description);
  }
  EXPECT_THAT(order, ::testing::ElementsAre("Inception Resnet V2", "Inception v3", "Resnet 50",
                                            "Simple CNN", "VGG16 simple"));
  for (const PublishedRow& row : published_) {
    const auto trial = std::find_if(ranking.begin(), ranking.end(), [&](const RankedTrial& one) {
      return one.description == row.model;
    });
    const bool lost = row.model == "VGG16 simple" || row.model == "Inception Resnet V2";
    EXPECT_EQ(agrees(row, *trial), !lost) << row.model;
  }
}

TEST_F(StudyTest, TheTwoDifferencesAreExplained) {
  EXPECT_EQ(compare_import(published_, logs_),
            "Simple CNN: as published\n"
            "VGG16 simple: not as published: the row of epoch 21 is lost (line 22 has its heading "
            "alone); the lowest loss left is 7.4143, epoch 11; the published loss itself is left "
            "at epoch 11, epoch 13\n"
            "Inception v3: as published\n"
            "Resnet 50: as published\n"
            "Inception Resnet V2: not as published: the row of epoch 19 is lost: line 21 holds "
            "epoch 19 to 20, with other figures; the lowest loss left is 1.1014e-07, epoch 19 to "
            "20\n");
}

// epochs.csv was read from the same logs by other means.
TEST_F(StudyTest, EveryRowIsReadAndPlacedAsByHand) {
  std::ifstream file(study_ / "epochs.csv");
  std::string line;
  std::getline(file, line);
  std::map<std::string, std::size_t> next;
  while (std::getline(file, line)) {
    std::vector<std::string> cells(1);
    for (char c : line) {
      if (c == ',') {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    if (cells[8].empty()) continue;  // a heading alone
    const auto log = std::find_if(logs_.begin(), logs_.end(),
                                  [&](const ImportedLog& one) { return one.model == cells[0]; });
    ASSERT_NE(log, logs_.end());
    const KerasRow& row = log->log.rows.at(next[cells[0]]++);
    const auto text = [](const std::optional<double>& number) { return number.value_or(-1); };
    const auto number = [](const std::string& cell) { return cell.empty() ? -1 : std::stod(cell); };
    EXPECT_EQ(row.earliest, std::stoi(cells[2])) << line;
    EXPECT_EQ(row.latest, std::stoi(cells[3])) << line;
    EXPECT_EQ(text(row.seconds), number(cells[4])) << line;
    EXPECT_EQ(text(row.train_loss), number(cells[6])) << line;
    EXPECT_EQ(text(row.train_accuracy), number(cells[7])) << line;
    EXPECT_EQ(row.val_loss, number(cells[8])) << line;
    EXPECT_EQ(text(row.val_accuracy), number(cells[9])) << line;
  }
  for (const ImportedLog& log : logs_) EXPECT_EQ(next[log.model], log.log.rows.size());
}

}  // namespace
}  // namespace ranksweep::results
