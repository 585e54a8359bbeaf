// The schema of a database and its earlier versions, of each of which tests/results/fixtures keeps
// a database as SQL text. A new one is made by
//   write_synthetic_sweep new.db 12 3
//   (sqlite3 new.db "SELECT 'PRAGMA application_id = ' || application_id || ';' FROM
//   pragma_application_id UNION ALL SELECT 'PRAGMA user_version = ' || user_version || ';' FROM
//   pragma_user_version"; sqlite3 new.db .dump) > tests/results/fixtures/schema_N.sql

#include <map>
#include <regex>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "results/database.h"
#include "results/live_report.h"
#include "results/report.h"
#include "results/results_reader.h"
#include "tests/file_content.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

void restore(int version, const std::filesystem::path& path) {
  const std::string sql = content_of(
      fmt::format("{}/tests/results/fixtures/schema_{}.sql", RANKSWEEP_SOURCE_DIR, version));
  ASSERT_FALSE(sql.empty()) << "no fixture is kept of schema " << version;
  SQLite::Database(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
}

using SqlByName = std::map<std::string, std::string>;

// Without comments and the layout of the text.
SqlByName schema_of(const std::filesystem::path& path) {
  static const std::regex comment("--[^\n]*");
  static const std::regex space_of_no_meaning("\\s*([(),])\\s*");
  static const std::regex space("\\s+");
  SqlByName schema;
  SQLite::Database database(path.string());
  SQLite::Statement query(database, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
  while (query.executeStep()) {
    std::string sql = query.getColumn(1).getString();
    sql = std::regex_replace(sql, comment, "");
    sql = std::regex_replace(sql, space_of_no_meaning, "$1");
    schema[query.getColumn(0).getString()] = std::regex_replace(sql, space, " ");
  }
  return schema;
}

std::string rows_of(const std::filesystem::path& path, const std::string& sql) {
  SQLite::Database database(path.string());
  SQLite::Statement query(database, sql);
  std::string rows;
  while (query.executeStep()) {
    for (int i = 0; i < query.getColumnCount(); ++i) rows += query.getColumn(i).getString() + "|";
    rows += "\n";
  }
  return rows;
}

// Columns that the view had from the beginning. As text, since numbers are shown to more digits
// here than SQLite shows.
constexpr const char* kRanking =
    "SELECT rank, position, mark, trial, best_epoch, printf('%.9f', val_loss), "
    "printf('%.9f', val_loss_low), printf('%.9f', val_accuracy), printf('%.9f', train_loss), "
    "val_images, printf('%.6f', seconds), attempts FROM ranking";

class SchemaTest : public ::testing::Test {
 protected:
  SqlByName present_schema() {
    testing::write_synthetic_sweep(folder_ / "present.db", {.trials = 12, .epochs = 3});
    return schema_of(folder_ / "present.db");
  }

  TemporaryFolder folder_;
};

TEST_F(SchemaTest, DoesNotChangeWithoutANewVersion) {
  restore(kSchemaVersion, folder_ / "kept.db");
  EXPECT_EQ(schema_of(folder_ / "kept.db"), present_schema())
      << "The schema changed: raise kSchemaVersion, write results/schema/" << kSchemaVersion
      << "_to_" << kSchemaVersion + 1 << ".sql and keep a fixture of the new one.";
}

class EarlierSchemaTest : public SchemaTest, public ::testing::WithParamInterface<int> {
 protected:
  EarlierSchemaTest() { restore(GetParam(), path_); }

  std::filesystem::path path_ = folder_ / "earlier.db";
};

TEST_P(EarlierSchemaTest, IsReadWithoutAChangeToItsFile) {
  const std::string bytes = content_of(path_);
  const std::string ranking = rows_of(path_, kRanking);
  ResultsReader reader(path_);
  std::string read;
  for (const auto& row : reader.query(kRanking).rows) {
    for (const Cell& cell : row) read += show_cell(cell, Show::plain) + "|";
    read += "\n";
  }
  EXPECT_EQ(read, ranking);
  EXPECT_THAT(report_html(reader), ::testing::HasSubstr("leads with a validation loss"));
  EXPECT_THAT(LiveReport(path_).page()->html, ::testing::HasSubstr("leads with"));
  EXPECT_EQ(content_of(path_), bytes);
}

TEST_P(EarlierSchemaTest, BecomesThePresentOneWhenAWriterOpensIt) {
  const std::string ranking = rows_of(path_, kRanking);
  open_for_writing(path_, std::chrono::milliseconds(0));
  EXPECT_EQ(schema_of(path_), present_schema());
  EXPECT_EQ(rows_of(path_, kRanking), ranking);
  EXPECT_EQ(rows_of(path_, "PRAGMA user_version"), fmt::format("{}|\n", kSchemaVersion));
  EXPECT_EQ(rows_of(path_, "PRAGMA integrity_check"), "ok|\n");
  EXPECT_EQ(rows_of(path_, "PRAGMA foreign_key_check"), "");
}

INSTANTIATE_TEST_SUITE_P(Versions, EarlierSchemaTest, ::testing::Range(1, kSchemaVersion));

}  // namespace
}  // namespace ranksweep::results
