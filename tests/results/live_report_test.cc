#include "results/live_report.h"

#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "results/sweep_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

class LiveReportTest : public ::testing::Test {
 protected:
  LiveReportTest() { testing::write_synthetic_sweep(path_, {.trials = 8, .epochs = 2}); }

  void rename_sweep(const std::string& name) {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE, 60'000);
    SQLite::Statement update(database, "UPDATE sweep SET name = ?");
    update.bind(1, name);
    update.exec();
  }

  // Until the page has `text`, or for good.
  static std::shared_ptr<const LiveReport::Page> page_with(LiveReport& live,
                                                           const std::string& text) {
    for (;;) {
      auto page = live.page();
      if (page->html.find(text) != std::string::npos) return page;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
};

TEST_F(LiveReportTest, FollowsTheDatabase) {
  LiveReport live(path_);
  const auto first = page_with(live, "synthetic");
  rename_sweep("another name");
  const auto second = page_with(live, "another name");
  EXPECT_NE(second->version, first->version);
}

TEST_F(LiveReportTest, IsTheSamePageWhileNothingIsCommitted) {
  LiveReport live(path_);
  const auto first = live.page();
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the next look, if it was quick
  EXPECT_EQ(live.page(), first);
}

TEST_F(LiveReportTest, HoldsNoLockBetweenLooks) {
  LiveReport live(path_);
  live.page();
  SQLite::Database writer(path_.string(), SQLite::OPEN_READWRITE);  // that does not wait
  writer.exec("BEGIN EXCLUSIVE; UPDATE sweep SET created_at = '2026-01-01T00:00:00.000Z'; COMMIT");
}

TEST_F(LiveReportTest, ManyMayReadWhileOneWrites) {
  LiveReport live(path_);
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back([&] { page_with(live, "name 30"); });
  for (int i = 1; i <= 30; ++i) rename_sweep("name " + std::to_string(i));
  for (std::thread& reader : readers) reader.join();
}

TEST_F(LiveReportTest, AMissingDatabaseIsTold) {
  EXPECT_THROW(LiveReport(folder_ / "none.db"), StoreError);
}

}  // namespace
}  // namespace ranksweep::results
