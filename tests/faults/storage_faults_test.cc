// Every operation of the database on its disk fails in turn, or is the last of its process.
#include <array>
#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "results/database.h"
#include "tests/faults/faulty_disk.h"
#include "tests/faults/instant_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
static void PrintTo(Journal journal, std::ostream* out) {
  *out << (journal == Journal::wal ? "write_ahead_log" : "rollback_journal");
}
}  // namespace ranksweep::results

namespace ranksweep::testing {

static void PrintTo(Fault fault, std::ostream* out) {
  *out << (fault == Fault::disk_full  ? "disk_full"
           : fault == Fault::io_error ? "io_error"
                                      : "late_error");
}

namespace {

constexpr int kTrials = 4;
constexpr int kEpochs = 2;

class StorageFaultsTest : public ::testing::Test {
 protected:
  std::string run(double patience = 600) {
    return run_instant_sweep(plan_, path_, listener_,
                             {.storage_patience = patience, .journal = journal_})
        .stopped;
  }

  std::string ask(const std::string& sql) {
    const auto database = results::open_for_reading(path_, std::chrono::milliseconds(0));
    SQLite::Statement statement(*database, sql);
    std::string answer;
    while (statement.executeStep()) {
      for (int i = 0; i < statement.getColumnCount(); ++i) {
        answer += statement.getColumn(i).getString() + " ";
      }
      answer += "\n";
    }
    return answer;
  }

  // The ranking of a database that is sound and has every trial and epoch once.
  std::string ranking() {
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok \n");
    EXPECT_EQ(ask("PRAGMA foreign_key_check"), "");
    EXPECT_EQ(ask("SELECT count(*) FROM attempt WHERE outcome IS NULL"), "0 \n");
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT trial) FROM attempt "
                  "WHERE outcome = 'finished'"),
              "4 4 \n");
    EXPECT_EQ(ask("SELECT count(*) FROM epoch"), std::to_string(kTrials * kEpochs) + " \n");
    return ask(
        "SELECT rank, trial, best_epoch, val_loss, epochs_done FROM ranking "
        "ORDER BY position");
  }

  void start_anew() {
    folder_.emplace();
    path_ = *folder_ / "results.db";
  }

  void expect_to_go_on() {
    const FaultyDisk disk({});
    ASSERT_EQ(run(), "");
    ASSERT_EQ(ranking(), expected_);
  }

  // How many operations an undisturbed sweep needs. Leaves its ranking in expected_.
  int count_operations() {
    start_anew();
    const FaultyDisk disk({});
    EXPECT_EQ(run(), "");
    const int operations = disk.operations();
    expected_ = ranking();
    return operations;
  }

  sweeps::Plan plan_ = orchestrator::plan_of(kTrials, kEpochs);
  results::Journal journal_ = results::Journal::rollback;
  std::optional<TemporaryFolder> folder_;
  std::filesystem::path path_;
  orchestrator::SilentListener listener_;
  std::string expected_;
};

class EachStorageFaultTest : public StorageFaultsTest,
                             public ::testing::WithParamInterface<Fault> {};

class EachJournalTest : public StorageFaultsTest,
                        public ::testing::WithParamInterface<results::Journal> {
 protected:
  EachJournalTest() { journal_ = GetParam(); }
};

TEST_P(EachStorageFaultTest, EachOperationFailsOnceAndTheSweepGoesOnOrResumes) {
  const int operations = count_operations();
  int went_on = 0;
  for (int at = 1; at <= operations; ++at) {
    SCOPED_TRACE(at);
    start_anew();
    std::string stopped;
    {
      const FaultyDisk disk({.fault = GetParam(), .at = at});
      stopped = run();
      went_on += stopped.empty() ? 1 : 0;
    }
    if (!stopped.empty()) {
      EXPECT_THAT(stopped, ::testing::HasSubstr("results.db"));
      expect_to_go_on();
    }
    ASSERT_EQ(ranking(), expected_);
  }
  EXPECT_GT(went_on, 0);  // what fails after the plan is written stops nothing
}

TEST_P(EachStorageFaultTest, ADiskThatFailsForGoodStopsTheSweepAndItResumesOnceMended) {
  const int operations = count_operations();
  for (int at = 1; at <= operations; ++at) {
    SCOPED_TRACE(at);
    start_anew();
    {
      const FaultyDisk disk({.fault = GetParam(), .at = at, .lasting = true});
      run(3);
    }
    expect_to_go_on();
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EachStorageFaultTest,
                         ::testing::Values(Fault::disk_full, Fault::io_error, Fault::late_error));

TEST_P(EachJournalTest, ACoordinatorThatIsKilledAtAnyOperationIsGoneOnWith) {
  const int operations = count_operations();
  const int step = GetParam() == results::Journal::wal ? 3 : 1;  // for time's sake
  for (int at = 1; at <= operations; at += step) {
    SCOPED_TRACE(at);
    start_anew();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const FaultyDisk disk({.fault = Fault::kill, .at = at});
      run();
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_to_go_on();
  }
}

INSTANTIATE_TEST_SUITE_P(Journals, EachJournalTest,
                         ::testing::Values(results::Journal::rollback, results::Journal::wal));

// One of the faults at each operation: what they leave behind differs little, and each takes time.
TEST_F(StorageFaultsTest, WithAWriteAheadLogAnyOperationMayFailAndNothingIsLost) {
  constexpr std::array kFaults = {Fault::disk_full, Fault::io_error, Fault::late_error};
  journal_ = results::Journal::wal;
  const int operations = count_operations();
  for (int at = 1; at <= operations; ++at) {
    SCOPED_TRACE(at);
    start_anew();
    std::string stopped;
    {
      const FaultyDisk disk(
          {.fault = kFaults[static_cast<std::size_t>(at) % kFaults.size()], .at = at});
      stopped = run();
    }
    if (!stopped.empty()) expect_to_go_on();
    ASSERT_EQ(ranking(), expected_);
  }
}

TEST_F(StorageFaultsTest, AReaderThatHoldsTheDatabaseForAWhileCostsNothing) {
  count_operations();
  start_anew();
  std::optional<SQLite::Database> reader;
  const auto hold_for_a_while = [&](int turn) {
    if (turn == 3) {
      reader.emplace(path_.string(), SQLite::OPEN_READONLY);
      reader->exec("BEGIN");
      reader->execAndGet("SELECT count(*) FROM trial");
    } else if (turn == 30) {
      reader.reset();
    }
  };
  const auto end = run_instant_sweep(plan_, path_, listener_, {.each_turn = hold_for_a_while});
  EXPECT_EQ(end.stopped, "");
  EXPECT_EQ(ranking(), expected_);
  ASSERT_EQ(listener_.troubles.size(), 2u);
  EXPECT_THAT(listener_.troubles[0], ::testing::HasSubstr("another program holds the database"));
}

}  // namespace
}  // namespace ranksweep::testing
