#include "results/journal.h"

#include <signal.h>
#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <linux/magic.h>
#include <sys/wait.h>

#include "results/file_system.h"
#include "results/live_report.h"
#include "results/publisher.h"
#include "results/results_reader.h"
#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::HasSubstr;

TEST(FileSystemTest, OnlyWhatIsKnownToBeLocalIs) {
  EXPECT_EQ(file_system(EXT4_SUPER_MAGIC).name, "ext4");
  for (const long type : {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC}) {
    EXPECT_TRUE(file_system(type).local) << type;
  }
  EXPECT_EQ(file_system(NFS_SUPER_MAGIC).name, "NFS");
  EXPECT_EQ(file_system(static_cast<int>(CIFS_SUPER_MAGIC)).name, "CIFS");  // negative in 32 bits
  EXPECT_EQ(file_system(0x1234).name, "type 0x1234");
  for (const long type : {0x0bd00bd0L, 0x47504653L, 0x19830326L, 0x65735546L, 0x1234L}) {
    EXPECT_FALSE(file_system(type).local) << type;
  }
}

TEST(WhyNoWalTest, AFileSystemOfSeveralHostsWillNotDo) {
  EXPECT_THAT(why_no_wal("/proc", {}), HasSubstr("not known to be this host's alone"));
  EXPECT_THAT(why_no_wal("/nowhere", {}), HasSubstr("No such file"));
}

TEST(WhyNoWalTest, AnotherProcessMustReadWhatTheLogHolds) {
  const TemporaryFolder folder;
  const auto ask = [](const std::filesystem::path& database, const std::string& sql) {
    ResultsReader reader(database);
    return std::get<std::string>(reader.query(sql).rows.at(0).at(0));
  };
  EXPECT_EQ(why_no_wal(folder.path(), ask), "");
  EXPECT_THAT(why_no_wal(folder.path(), [](const auto&, const auto&) { return "nothing"; }),
              HasSubstr("another process did not read"));
  const auto fail = [](const auto&, const auto&) -> std::string {
    throw std::runtime_error("disk I/O error");
  };
  EXPECT_EQ(why_no_wal(folder.path(), fail), "disk I/O error");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

class WalTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open(Journal journal = Journal::wal) {
    return SqliteStore::open_for_sweep(path_, plan_, testing::synthetic_provenance(sweep_),
                                       {.busy_timeout = std::chrono::milliseconds(50),
                                        .commit_timeout = std::chrono::milliseconds(0),
                                        .journal = journal});
  }
  static void note(SqliteStore& store) {
    store.commit(std::vector<Change>{EventNoted{.kind = "joined", .rank = 0, .message = ""}});
  }
  static std::string ask(const std::filesystem::path& path, const std::string& sql) {
    SQLite::Database database(path.string(), SQLite::OPEN_READONLY);
    return database.execAndGet(sql).getString();
  }
  bool has_log() const { return std::filesystem::exists(path_.string() + "-wal"); }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
  testing::SyntheticSweep sweep_{.trials = 4};
  sweeps::Plan plan_ = testing::synthetic_plan(sweep_);
};

TEST_F(WalTest, AReaderHoldsUpNoCommitAndKeepsItsMoment) {
  const auto store = open();
  note(*store);
  SQLite::Database reader(path_.string(), SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM event").getInt(), 1);
  note(*store);
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM event").getInt(), 1);
  EXPECT_EQ(ask(path_, "SELECT count(*) FROM event"), "2");
}

TEST_F(WalTest, WhatIsLeftIsOneFileThatWorksEverywhere) {
  note(*open());
  EXPECT_FALSE(has_log());
  EXPECT_EQ(ask(path_, "PRAGMA journal_mode"), "delete");
  EXPECT_EQ(ask(path_, "SELECT count(*) FROM event"), "1");
}

TEST_F(WalTest, AReaderThatStaysLeavesAllInTheDatabase) {
  auto store = open();
  SQLite::Database reader(path_.string(), SQLite::OPEN_READONLY);
  reader.execAndGet("SELECT count(*) FROM event");
  note(*store);
  store.reset();
  EXPECT_EQ(std::filesystem::file_size(path_.string() + "-wal"), 0u);
}

TEST_F(WalTest, AnyJournalGoesOnWhereAKilledWriterLeftALog) {
  for (const Journal journal : {Journal::wal, Journal::rollback}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = open();
      note(*store);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_TRUE(has_log());
    const std::string before = ask(path_, "SELECT count(*) FROM event");
    const auto store = open(journal);
    EXPECT_EQ(ask(path_, "PRAGMA journal_mode"), journal == Journal::wal ? "wal" : "delete");
    EXPECT_EQ(ask(path_, "SELECT count(*) FROM event"), before);
  }
  EXPECT_EQ(ask(path_, "SELECT count(*) FROM event"), "2");
}

TEST_F(WalTest, CopiesAndTheLivePageAreMadeWhileItIsWritten) {
  const auto store = open();
  Publisher publisher(path_, folder_ / "copy.db");
  LiveReport live(path_);
  note(*store);
  EXPECT_EQ(publisher.publish(), "");
  EXPECT_EQ(ask(folder_ / "copy.db", "SELECT count(*) FROM event"), "1");
  EXPECT_EQ(ask(folder_ / "copy.db", "PRAGMA journal_mode"), "delete");
  EXPECT_THAT(live.page()->html, HasSubstr("synthetic"));
}

}  // namespace
}  // namespace ranksweep::results
