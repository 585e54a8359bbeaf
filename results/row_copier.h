#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace ranksweep::results {

// Where a trial of the source stands in the target, and whether what the source knows of it (its
// row, epochs, parameters) goes there. Attempts always do.
struct TrialTarget {
  std::int64_t row = 0;
  bool chosen = false;
};

// Copies rows from one database to another of the same schema, table by table, with new numbers.
// What refers to what it reads from the schema, so that a table that is added there is copied too.
// The target holds one sweep, in row 1. SQLite's exceptions pass through.
class RowCopier {
 public:
  // `trials` is by row of the source and has them all.
  RowCopier(SQLite::Database& source, SQLite::Database& target,
            std::map<std::int64_t, TrialTarget> trials);

  // In the caller's transaction, which must defer the checks of foreign keys.
  void copy(const std::string& table);

 private:
  enum class Meaning { value, sweep, trial, numbered };
  struct Column {
    std::string name;
    Meaning meaning = Meaning::value;
    std::int64_t offset = 0;  // of `numbered`: between the number here and there
  };
  std::vector<Column> columns_of(const std::string& table);

  SQLite::Database& source_;
  SQLite::Database& target_;
  std::map<std::int64_t, TrialTarget> trials_;
  std::map<std::string, std::int64_t> offsets_;  // by table, of those whose rows are renumbered
};

// All tables of a database, by name.
std::vector<std::string> table_names(SQLite::Database& database);

}  // namespace ranksweep::results
