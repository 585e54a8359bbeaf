#include "results/journal.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sys/vfs.h>

#include "results/database.h"
#include "results/file_system.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

struct RemovedAfterwards {
  std::filesystem::path database;
  ~RemovedAfterwards() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::error_code ignored;
      std::filesystem::remove(database.string() + suffix, ignored);
    }
  }
};

// A database with a write-ahead log, removed with this object.
class Probe {
 public:
  explicit Probe(const std::filesystem::path& folder)
      : files_{folder / fmt::format(".ranksweep-probe.{}.db", getpid())},
        database_(open_for_writing(files_.database, std::chrono::seconds(1), Journal::wal)) {
    with_store_errors(files_.database, [&] {
      SQLite::Transaction transaction(*database_);
      create_schema(*database_);
      transaction.commit();
      set_journal(*database_, Journal::wal);
      database_->exec(fmt::format("CREATE VIEW probe AS SELECT '{}' AS answer", kAnswer));
    });
  }

  // What the log alone has yet must reach the other process.
  bool is_read_by(const AskInAnotherProcess& ask) const {
    return ask(files_.database, "SELECT answer FROM probe").find(kAnswer) != std::string::npos;
  }

 private:
  static constexpr const char* kAnswer = "read from the log";

  RemovedAfterwards files_;
  std::unique_ptr<SQLite::Database> database_;
};

}  // namespace

std::string why_no_wal(const std::filesystem::path& folder, const AskInAnotherProcess& ask) {
  struct statfs status {};
  if (statfs(folder.c_str(), &status) != 0) return std::strerror(errno);
  if (const FileSystem where = file_system(status.f_type); !where.local) {
    return fmt::format("it is on a file system ({}) that is not known to be this host's alone",
                       where.name);
  }
  try {
    return Probe(folder).is_read_by(ask) ? "" : "another process did not read what one had written";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace ranksweep::results
