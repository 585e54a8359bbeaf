// The examples of docs/results.md, run on a synthetic sweep.

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "results/results_reader.h"
#include "results/table.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

struct Example {
  std::string sql;
  std::string output;
};

// Each block of SQL, and the block of text behind it.
std::vector<Example> documented_examples() {
  std::ifstream file(RANKSWEEP_SOURCE_DIR "/docs/results.md");
  std::vector<Example> examples;
  std::string* block = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line == "```sql") {
      block = &examples.emplace_back().sql;
    } else if (line == "```text") {
      block = &examples.back().output;
    } else if (line == "```") {
      block = nullptr;
    } else if (block != nullptr) {
      *block += line + "\n";
    }
  }
  return examples;
}

class ViewsTest : public ::testing::Test {
 protected:
  ViewsTest() { testing::write_synthetic_sweep(path_); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
};

TEST_F(ViewsTest, GiveWhatTheirDocumentationShows) {
  ResultsReader reader(path_);
  for (const Example& example : documented_examples()) {
    EXPECT_EQ(render(reader.query(example.sql), TableFormat::text), example.output)
        << "for docs/results.md:\n"
        << example.sql;
  }
}

TEST_F(ViewsTest, AreAllDocumented) {
  std::string queries;
  for (const Example& example : documented_examples()) queries += example.sql;
  std::replace(queries.begin(), queries.end(), '\n', ' ');
  ResultsReader reader(path_);
  const Table views = reader.query("SELECT name FROM sqlite_schema WHERE type = 'view'");
  EXPECT_EQ(views.rows.size(), 8u);
  for (const auto& row : views.rows) {
    EXPECT_THAT(queries, ::testing::HasSubstr("FROM " + std::get<std::string>(row[0]) + " "));
  }
}

// So that the best of many thousand trials are shown at once.
TEST_F(ViewsTest, TheFirstOfTheRankingAreReadWithoutTheOthers) {
  ResultsReader reader(path_);
  std::string plan;
  for (const auto& row : reader.query("EXPLAIN QUERY PLAN SELECT * FROM ranking LIMIT 3").rows) {
    plan += std::get<std::string>(row.back()) + "\n";
  }
  EXPECT_THAT(plan, ::testing::HasSubstr("SCAN trial USING INDEX trial_in_order"));
  EXPECT_THAT(plan, ::testing::Not(::testing::HasSubstr("TEMP B-TREE")));
}

TEST_F(ViewsTest, AreRefreshedForAPlanThatSweepsOtherParameters) {
  ResultsReader reader(path_);
  const Table wide = reader.query("SELECT * FROM trial_wide");
  std::set<std::string> columns;
  for (const Column& column : wide.columns) columns.insert(column.name);
  for (const std::string& name : reader.sweep().swept) EXPECT_TRUE(columns.contains(name)) << name;
}

}  // namespace
}  // namespace ranksweep::results
