// What a store finds where its file should be: nothing, a sweep, something else, or what a death
// has left.

#include <csignal>
#include <fstream>
#include <functional>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "results/database.h"
#include "tests/file_content.h"
#include "tests/results/store_fixture.h"

namespace ranksweep::results {
namespace {

using sweeps::TrialState;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class StoreOpeningTest : public testing::StoreFixture {};

TEST_F(StoreOpeningTest, MarksItsFileAndNeedsNoOtherFilesWhenClosed) {
  open();
  EXPECT_EQ(ask("PRAGMA application_id"), "1381193552\n");
  EXPECT_EQ(ask("PRAGMA user_version"), std::to_string(kSchemaVersion) + "\n");
  EXPECT_EQ(ask("PRAGMA journal_mode"), "delete\n");
  EXPECT_EQ(ask("PRAGMA foreign_key_check"), "");
  EXPECT_EQ(ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                "AND NOT strict AND name NOT LIKE 'sqlite%'"),
            "0\n");
  EXPECT_FALSE(exists(folder_ / "results.db.lock"));
}

TEST_F(StoreOpeningTest, RefusesAnotherSweepAndOtherData) {
  open();
  const std::string before = content_of(path_);
  plan_.sweep_name = "another";
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(
                             AllOf(HasSubstr("'synthetic', not 'another'"), HasSubstr("--db"))));
  plan_.sweep_name = "synthetic";
  plan_.data_fingerprint = sweeps::hash_hex("other faces");
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(
                             AllOf(HasSubstr("began on other data"), HasSubstr("restore them"))));
  EXPECT_EQ(content_of(path_), before);
}

TEST_F(StoreOpeningTest, RefusesAFileThatIsNoDatabase) {
  for (const std::string& content : {std::string("precious notes"), std::string(5000, 'x')}) {
    std::ofstream(path_) << content;
    EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("no ranksweep database")));
    EXPECT_EQ(content_of(path_), content);
  }
}

TEST_F(StoreOpeningTest, RefusesAnotherProgramsDatabase) {
  change_with_sqlite("CREATE TABLE precious (note TEXT)");
  const std::string before = content_of(path_);
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("no ranksweep database")));
  EXPECT_EQ(content_of(path_), before);
}

TEST_F(StoreOpeningTest, RefusesANewerSchemaAndOneThatNeverWas) {
  open();
  change_with_sqlite("PRAGMA user_version = 99");
  EXPECT_THAT(opening(),
              ThrowsMessage<StoreError>(HasSubstr("schema 99 is newer than this ranksweep knows")));
  change_with_sqlite("PRAGMA user_version = 0");
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("damaged")));
}

TEST_F(StoreOpeningTest, RefusesADamagedFile) {
  open();
  std::string content = content_of(path_);
  ASSERT_GT(content.size(), 20'000u);
  std::ofstream(path_, std::ios::binary) << content.substr(0, content.size() / 2);
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("damaged")));
  for (std::size_t i = 8192; i < 12'000; ++i) content[i] = static_cast<char>(i * 7);
  std::ofstream(path_, std::ios::binary) << content;
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("damaged")));
}

TEST_F(StoreOpeningTest, TakesAnEmptyFileAsANewDatabase) {
  std::ofstream{path_};
  EXPECT_EQ(open()->load_trials().size(), 4u);
}

TEST_F(StoreOpeningTest, RefusesAPlaceThatCannotBeWritten) {
  path_ = folder_ / "missing/results.db";
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("folder that exists")));
  path_ = "/proc/results.db";  // where even root cannot write
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("can be written")));
}

TEST_F(StoreOpeningTest, RefusesAFolder) {
  path_ = folder_ / "folder";
  std::filesystem::create_directory(path_);
  EXPECT_THAT(opening(), ThrowsMessage<StoreError>(HasSubstr("folder")));
}

TEST_F(StoreOpeningTest, HasOneWriterAtATime) {
  {
    const auto first = open();
    EXPECT_THAT(opening(), ThrowsMessage<StoreError>(AllOf(
                               HasSubstr("another ranksweep writes to it"),
                               HasSubstr("process " + std::to_string(getpid()) + " on host"))));
  }
  open();
}

// Runs `work` in a process that then dies at once, as by kill -9.
void run_and_die(const std::function<void()>& work) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST_F(StoreOpeningTest, TakesOverFromAWriterThatWasKilled) {
  run_and_die([&] {
    const auto store = open();
    store->commit(std::vector<Change>{started(1, 0), recorded(1, 0, 1, 0.5)});
    kill(getpid(), SIGKILL);
  });
  EXPECT_TRUE(exists(folder_ / "results.db.lock"));
  const auto store = open();
  EXPECT_EQ(store->load_trials()[0].open_attempt, 1);
  EXPECT_EQ(store->load_trials()[0].epochs.size(), 1u);
}

TEST_F(StoreOpeningTest, RollsBackWhatADeadWriterHadNotCommitted) {
  open();
  run_and_die([&] {
    SQLite::Database database(path_.string(), SQLite::OPEN_READWRITE);
    database.exec(
        "PRAGMA cache_size = 1; BEGIN; UPDATE trial SET state = 'failed';"
        "CREATE TABLE large AS SELECT randomblob(4000) FROM parameter");
    kill(getpid(), SIGKILL);
  });
  ASSERT_TRUE(exists(folder_ / "results.db-journal"));
  EXPECT_EQ(open()->load_trials()[0].state, TrialState::pending);
}

}  // namespace
}  // namespace ranksweep::results
