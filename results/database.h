#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "results/journal.h"

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace ranksweep::results {

inline constexpr int kApplicationId = 0x52535750;  // "RSWP", in the header of the file
inline constexpr int kSchemaVersion = 2;

// Runs `work` and turns what SQLite throws into a StoreError that names `path` and a remedy.
void with_store_errors(const std::filesystem::path& path, const std::function<void()>& work);

// These throw StoreError for a file that is no ranksweep database, is damaged, or has a schema
// newer than this program knows. A file that is missing or empty opens for writing as a database
// without tables; for reading it is an error. One of an earlier schema is brought to the present
// one: for writing in its file, for reading in a copy in memory.
std::unique_ptr<SQLite::Database> open_for_writing(const std::filesystem::path& path,
                                                   std::chrono::milliseconds busy_timeout,
                                                   Journal journal = Journal::rollback);
std::unique_ptr<SQLite::Database> open_for_reading(const std::filesystem::path& path,
                                                   std::chrono::milliseconds busy_timeout);

// Has SQLite not look at the schema's CHECKs while it lives.
class WithoutChecks {
 public:
  explicit WithoutChecks(SQLite::Database& database);
  WithoutChecks(const WithoutChecks&) = delete;
  WithoutChecks& operator=(const WithoutChecks&) = delete;
  ~WithoutChecks();

 private:
  SQLite::Database& database_;
};

// For a database that has tables. Throws when a reader keeps a write-ahead log from ending.
void set_journal(SQLite::Database& database, Journal journal);
// Moves what a write-ahead log holds into the database, and leaves a file that works everywhere. A
// reader that is connected may keep it from that: then the log stays, for the next writer.
void end_wal(SQLite::Database& database);

// A copy of the database in memory, as it is at one moment. A writer is held up only while pages
// are copied, not while somebody reads them.
// The file itself, whatever its schema, for who copies it again whenever it has changed.
std::unique_ptr<SQLite::Database> open_to_copy(const std::filesystem::path& path,
                                               std::chrono::milliseconds busy_timeout);

// A copy of the database in memory, as it is at one moment, in the present schema. A writer is held
// up only while pages are copied, not while somebody reads them.
std::unique_ptr<SQLite::Database> copy_into_memory(SQLite::Database& database);

// Makes the tables and views in a database without tables, in the caller's transaction.
void create_schema(SQLite::Database& database);
bool has_schema(SQLite::Database& database);

}  // namespace ranksweep::results
