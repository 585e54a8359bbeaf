#include "results/export/export.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "results/export/tf_record.h"
#include "results/sweep_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { testing::write_synthetic_sweep(folder_ / "results.db"); }

  TemporaryFolder folder_;
};

TEST(TfRecord, TheChecksumIsTheOneOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

TEST(TfRecord, FramesItsData) {
  const std::string record = tf_record("abc");
  EXPECT_EQ(record.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\3\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
}

TEST_F(ExportTest, WritesEveryTableAndViewAsCsv) {
  ResultsReader reader(folder_ / "results.db");
  export_csv(reader, folder_ / "csv");
  const Table names =
      reader.query("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')");
  EXPECT_GT(names.rows.size(), 15u);
  for (const auto& row : names.rows) {
    const auto& name = std::get<std::string>(row[0]);
    EXPECT_EQ(text_of(folder_ / "csv" / (name + ".csv")),
              render(reader.query("SELECT * FROM " + name), TableFormat::csv));
  }
}

TEST_F(ExportTest, OverwritesNothing) {
  folder_.write("csv/mine.txt", std::string("mine"));
  ResultsReader reader(folder_ / "results.db");
  for (const auto form : {export_csv, export_tensorboard}) {
    EXPECT_THAT([&] { form(reader, folder_ / "csv"); },
                ThrowsMessage<StoreError>(HasSubstr("is not empty, and nothing is overwritten")));
  }
}

// The slices of a kind, by thread, in the order of their begins.
std::map<int, std::vector<nlohmann::json>> slices(const nlohmann::json& trace,
                                                  const std::string& kind) {
  std::map<int, std::vector<nlohmann::json>> by_thread;
  for (const auto& event : trace) {
    if (event.value("cat", "") == kind) by_thread[event.at("tid")].push_back(event);
  }
  for (auto& [thread, of_thread] : by_thread) {
    std::ranges::sort(of_thread, {},
                      [](const auto& each) { return each.at("ts").template get<double>(); });
  }
  return by_thread;
}

double begin_of(const nlohmann::json& slice) { return slice.at("ts"); }
double end_of(const nlohmann::json& slice) {
  return begin_of(slice) + slice.at("dur").get<double>();
}

TEST_F(ExportTest, TheTraceHasEveryEpochInItsAttemptAndEveryPauseBetweenAttempts) {
  ResultsReader reader(folder_ / "results.db");
  export_trace(reader, folder_ / "trace.json");
  const auto trace = nlohmann::json::parse(text_of(folder_ / "trace.json"));
  auto attempts = slices(trace, "attempt");
  double in_epochs = 0;
  double waited = 0;
  std::size_t epochs = 0;
  for (auto& [rank, of_rank] : slices(trace, "epoch")) {
    for (const auto& epoch : of_rank) {
      ++epochs;
      in_epochs += epoch.at("dur").get<double>();
      waited += epoch.at("args").at("data_wait_s").get<double>();
      EXPECT_TRUE(std::ranges::any_of(attempts[rank], [&](const auto& attempt) {
        return begin_of(attempt) <= begin_of(epoch) && end_of(epoch) <= end_of(attempt);
      })) << epoch;
    }
    for (std::size_t i = 1; i < of_rank.size(); ++i) {
      EXPECT_LE(end_of(of_rank[i - 1]), begin_of(of_rank[i]));
    }
  }
  for (auto& [rank, pauses] : slices(trace, "idle")) {
    auto all = attempts[rank];
    all.insert(all.end(), pauses.begin(), pauses.end());
    std::ranges::sort(all, {}, begin_of);
    for (std::size_t i = 1; i < all.size(); ++i) {
      EXPECT_DOUBLE_EQ(end_of(all[i - 1]), begin_of(all[i])) << all[i];  // nothing is left out
    }
  }
  double validated = 0;
  for (const auto& [rank, of_rank] : slices(trace, "validation")) {
    for (const auto& slice : of_rank) validated += slice.at("dur").get<double>();
  }
  const Table sums = reader.query(
      "SELECT count(*), total(seconds), total(data_wait_s), total(validation_s) FROM epoch");
  EXPECT_EQ(epochs, static_cast<std::size_t>(std::get<std::int64_t>(sums.rows[0][0])));
  EXPECT_NEAR(in_epochs / 1e6, std::get<double>(sums.rows[0][1]),
              0.001 * static_cast<double>(epochs));
  EXPECT_NEAR(waited, std::get<double>(sums.rows[0][2]), 1e-6);
  EXPECT_NEAR(validated / 1e6, std::get<double>(sums.rows[0][3]),
              0.001 * static_cast<double>(epochs));
  std::size_t tried = 0;
  for (const auto& [rank, of_rank] : attempts) tried += of_rank.size();
  EXPECT_EQ(tried, reader.attempts().size());
}

TEST_F(ExportTest, TheTraceOverwritesNothing) {
  folder_.write("trace.json", std::string("mine"));
  ResultsReader reader(folder_ / "results.db");
  EXPECT_THAT([&] { export_trace(reader, folder_ / "trace.json"); },
              ThrowsMessage<StoreError>(HasSubstr("trace.json: is there already")));
  EXPECT_EQ(text_of(folder_ / "trace.json"), "mine");
}

// TensorBoard itself reads the runs and compares them with the database.
TEST_F(ExportTest, TensorBoardReadsWhatTheDatabaseHolds) {
  const fs::path python = RANKSWEEP_SOURCE_DIR "/.venv-tests/bin/python";
  if (!fs::exists(python)) GTEST_SKIP() << "no .venv-tests here: tools/setup.sh --parity";
  ResultsReader reader(folder_ / "results.db");
  export_tensorboard(reader, folder_ / "runs");
  const std::string command = fmt::format(
      "{} {}/tests/results/read_tensorboard.py {} {}", python.string(), RANKSWEEP_SOURCE_DIR,
      (folder_ / "results.db").string(), (folder_ / "runs").string());
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(ExportTest, ARunHasItsPlaceInTheFolderWhateverItsNameHolds) {
  const fs::path database = folder_ / "hostile.db";
  testing::write_synthetic_sweep(
      database, {.trials = 8, .user_text = "/../../<script>'\"\xf0\x9f\x99\x82\xff"});
  ResultsReader reader(database);
  export_tensorboard(reader, folder_ / "runs");
  std::size_t runs = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "runs")) runs += entry.is_directory();
  EXPECT_EQ(runs, reader.query("SELECT 1 FROM ranking WHERE epochs_done > 0").rows.size());
}

}  // namespace
}  // namespace ranksweep::results
