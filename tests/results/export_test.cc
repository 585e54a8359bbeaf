#include "results/export/export.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

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
