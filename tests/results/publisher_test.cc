#include "results/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/results_reader.h"
#include "results/sqlite_store.h"
#include "tests/orchestrator/fakes.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class PublisherTest : public testing::Test {
 protected:
  void commit(const std::string& event) {
    store_->commit(std::vector<Change>{EventNoted{.kind = event, .rank = 0, .message = ""}});
  }
  std::int64_t events_in_the_copy() {
    ResultsReader reader(copy_);
    return std::get<std::int64_t>(reader.query("SELECT count(*) FROM event").rows.at(0).at(0));
  }

  TemporaryFolder folder_;
  std::filesystem::path database_ = folder_ / "results.db";
  std::filesystem::path copy_ = folder_ / "copy.db";
  sweeps::Plan plan_ = orchestrator::plan_of(2);
  std::unique_ptr<SqliteStore> store_ = SqliteStore::open_for_sweep(
      database_, plan_, {.source = "name: test", .data_path = "faces", .classes = {"a", "b"}});
  Publisher publisher_{database_, copy_};
  Publisher::Clock::time_point now_ = Publisher::Clock::now();
};

TEST_F(PublisherTest, TheCopyFollowsTheDatabaseEveryFewSeconds) {
  EXPECT_EQ(publisher_.publish_if_due(now_), "");
  EXPECT_EQ(events_in_the_copy(), 0);
  commit("first");
  EXPECT_EQ(publisher_.publish_if_due(now_), "");
  EXPECT_EQ(events_in_the_copy(), 0);
  EXPECT_EQ(publisher_.publish_if_due(now_ + seconds(60)), "");
  EXPECT_EQ(events_in_the_copy(), 1);
  commit("last");
  EXPECT_EQ(publisher_.publish(), "");
  EXPECT_EQ(events_in_the_copy(), 2);
}

TEST_F(PublisherTest, AReaderKeepsTheMomentThatItOpened) {
  publisher_.publish();
  ResultsReader reader(copy_);
  commit("first");
  publisher_.publish();
  EXPECT_EQ(std::get<std::int64_t>(reader.query("SELECT count(*) FROM event").rows[0][0]), 0);
  EXPECT_EQ(events_in_the_copy(), 1);
}

TEST_F(PublisherTest, APlaceThatCannotBeWrittenIsToldOnceAndTriedAgain) {
  Publisher publisher(database_, folder_ / "later" / "copy.db");
  EXPECT_THAT(publisher.publish(), HasSubstr("copy.db"));
  EXPECT_EQ(publisher.publish(), "");
  std::filesystem::create_directory(folder_ / "later");
  EXPECT_THAT(publisher.publish(), HasSubstr("published again"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "later" / "copy.db"));
}

TEST_F(PublisherTest, NothingIsCopiedWhenNothingChanged) {
  publisher_.publish();
  const auto written = std::filesystem::last_write_time(copy_);
  std::filesystem::last_write_time(copy_, written - seconds(100));
  publisher_.publish();
  EXPECT_EQ(std::filesystem::last_write_time(copy_), written - seconds(100));
}

}  // namespace
}  // namespace ranksweep::results
