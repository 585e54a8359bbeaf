#include "results/database.h"

#include <string>
#include <system_error>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "results/embedded_files.h"
#include "results/migration.h"
#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

const char* remedy_for(int code) {
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program holds the database; close it";
    case SQLITE_FULL:
      return "the disk is full, or your quota is used up; free some space";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "the file or its folder cannot be written, or was moved; make it writable, or put it "
             "back";
    case SQLITE_CANTOPEN:
      return "check that the file and its folder exist and that you may open them";
    case SQLITE_CORRUPT:
      return "the file is damaged; restore a copy, or save what is left with sqlite3's .recover";
    case SQLITE_NOTADB:
      return "this is no ranksweep database; give another path";
    case SQLITE_IOERR:
      return "the disk or network file system failed; check it";
    default:
      return "this is a defect of ranksweep; please report it";
  }
}

// Whether the environment is at fault, so that it may pass.
bool may_pass(int code) {
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

StoreError not_ours(const std::filesystem::path& path) {
  return StoreError(
      fmt::format("{}: this is no ranksweep database; give another path, nothing in "
                  "it was changed",
                  path.string()));
}

int version_of(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

void check_schema(SQLite::Database& database, const std::filesystem::path& path) {
  if (database.execAndGet("PRAGMA application_id").getInt() != kApplicationId) {
    throw not_ours(path);
  }
  const int version = version_of(database);
  if (version > kSchemaVersion) {
    throw StoreError(
        fmt::format("{}: its schema {} is newer than this ranksweep knows ({}); use the ranksweep "
                    "that wrote it, or a newer one",
                    path.string(), version, kSchemaVersion));
  }
  if (version < 1) {
    throw StoreError(fmt::format("{}: schema {} never existed: the file is damaged; restore a copy",
                                 path.string(), version));
  }
}

// That every page is where it belongs and can be read, before anything is written. Whether rows
// keep the schema's CHECKs was seen when they were written, and would take eight times as long.
void check_integrity(SQLite::Database& database, const std::filesystem::path& path) {
  const WithoutChecks unchecked(database);
  const std::string found = database.execAndGet("PRAGMA quick_check(1)").getString();
  if (found != "ok") {
    throw StoreError(fmt::format("{}: {}: {}", path.string(), found, remedy_for(SQLITE_CORRUPT)));
  }
}

void migrate_if_earlier(SQLite::Database& database) {
  const int version = version_of(database);
  if (version == kSchemaVersion) return;
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  migrate(database, version);
  transaction.commit();
}

// A writer that died inside a transaction leaves a journal, which only a connection that may write
// can roll back.
void roll_back_what_a_dead_writer_left(const std::filesystem::path& path, int busy_timeout) {
  SQLite::Database database(path.string(), SQLite::OPEN_READWRITE, busy_timeout);
  database.execAndGet("PRAGMA schema_version");
}

std::unique_ptr<SQLite::Database> open_readable(const std::filesystem::path& path,
                                                int busy_timeout) {
  auto database =
      std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READONLY, busy_timeout);
  database->execAndGet("PRAGMA schema_version");
  return database;
}

}  // namespace

void with_store_errors(const std::filesystem::path& path, const std::function<void()>& work) {
  try {
    work();
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode() & 0xff;
    const std::string message =
        fmt::format("{}: {}: {}", path.string(), error.what(), remedy_for(code));
    if (may_pass(code)) throw StoreUnavailable(message);
    throw StoreError(message);
  }
}

WithoutChecks::WithoutChecks(SQLite::Database& database) : database_(database) {
  database_.exec("PRAGMA ignore_check_constraints = ON");
}

WithoutChecks::~WithoutChecks() { database_.tryExec("PRAGMA ignore_check_constraints = OFF"); }

std::unique_ptr<SQLite::Database> open_for_writing(const std::filesystem::path& path,
                                                   std::chrono::milliseconds busy_timeout,
                                                   Journal journal) {
  std::unique_ptr<SQLite::Database> database;
  with_store_errors(path, [&] {
    database = std::make_unique<SQLite::Database>(path.string(),
                                                  SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                                  static_cast<int>(busy_timeout.count()));
    const bool is_new = database->execAndGet("PRAGMA page_count").getInt() == 0;
    if (!is_new) {
      check_schema(*database, path);
      check_integrity(*database, path);
    }
    // A log's first write would leave a file that nobody knows for one of ours until it has tables.
    if (!is_new || journal == Journal::rollback) set_journal(*database, journal);
    // A commit outlasts a power cut: with a rollback journal EXTRA syncs the folder once the
    // journal is gone, with a log every commit syncs it.
    database->exec("PRAGMA synchronous = EXTRA");
    database->exec("PRAGMA foreign_keys = ON");
    if (!is_new) migrate_if_earlier(*database);
  });
  return database;
}

std::unique_ptr<SQLite::Database> open_to_copy(const std::filesystem::path& path,
                                               std::chrono::milliseconds busy_timeout) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw StoreError(
        fmt::format("{}: there is no such file; give the --db of a ranksweep run", path.string()));
  }
  const int timeout = static_cast<int>(busy_timeout.count());
  std::unique_ptr<SQLite::Database> database;
  with_store_errors(path, [&] {
    try {
      database = open_readable(path, timeout);
    } catch (const SQLite::Exception& error) {
      if (error.getExtendedErrorCode() != SQLITE_READONLY_ROLLBACK) throw;
      roll_back_what_a_dead_writer_left(path, timeout);
      database = open_readable(path, timeout);
    }
    check_schema(*database, path);
  });
  return database;
}

void set_journal(SQLite::Database& database, Journal journal) {
  const std::string wanted = journal == Journal::wal ? "wal" : "delete";
  const std::string mode = database.execAndGet("PRAGMA journal_mode = " + wanted).getString();
  if (mode != wanted) {
    throw StoreError(fmt::format("{}: its journal stays '{}' and does not become '{}'",
                                 database.getFilename(), mode, wanted));
  }
}

void end_wal(SQLite::Database& database) {
  for (const char* step : {"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE"}) {
    try {
      database.exec(step);
    } catch (const SQLite::Exception&) {  // held by a reader
    }
  }
}

std::unique_ptr<SQLite::Database> open_for_reading(const std::filesystem::path& path,
                                                   std::chrono::milliseconds busy_timeout) {
  auto database = open_to_copy(path, busy_timeout);
  with_store_errors(path, [&] {
    if (version_of(*database) < kSchemaVersion) database = copy_into_memory(*database);
  });
  return database;
}

std::unique_ptr<SQLite::Database> copy_into_memory(SQLite::Database& database) {
  auto copy =
      std::make_unique<SQLite::Database>(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  SQLite::Backup backup(*copy, database);
  // Between two steps a writer may commit, and the copying begins anew: with larger steps, so that
  // it comes to an end.
  for (int pages = 256; backup.executeStep(pages) != SQLITE_DONE; pages *= 2) {
  }
  migrate_if_earlier(*copy);
  return copy;
}

void create_schema(SQLite::Database& database) {
  database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  database.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  database.exec(std::string(kTablesSql));
  database.exec(std::string(kViewsSql));
}

bool has_schema(SQLite::Database& database) { return database.tableExists("sweep"); }

}  // namespace ranksweep::results
