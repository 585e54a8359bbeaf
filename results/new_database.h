#pragma once

#include <filesystem>
#include <memory>

namespace SQLite {
class Database;
}

namespace ranksweep::results {

// A database that is made in one go: it appears under its name when it is complete, and never in
// the place of another file. Until then it is a hidden file beside it, which a failure removes.
class NewDatabase {
 public:
  // Throws StoreError when there is something at `path`, or it cannot be made.
  explicit NewDatabase(const std::filesystem::path& path);
  NewDatabase(const NewDatabase&) = delete;
  NewDatabase& operator=(const NewDatabase&) = delete;
  ~NewDatabase();

  // With the tables and views, empty. Syncs nothing before publish.
  SQLite::Database& database() { return *database_; }

  // Gives it its name. Throws StoreError when another file took the name meanwhile.
  void publish();

 private:
  std::filesystem::path path_;
  std::filesystem::path hidden_;
  std::unique_ptr<SQLite::Database> database_;
};

}  // namespace ranksweep::results
