#include "results/migration.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "results/database.h"
#include "results/embedded_files.h"
#include "results/plan_writer.h"

namespace ranksweep::results {
namespace {

std::vector<std::string> texts(SQLite::Database& database, const char* sql) {
  std::vector<std::string> texts;
  SQLite::Statement query(database, sql);
  while (query.executeStep()) texts.push_back(query.getColumn(0).getString());
  return texts;
}

}  // namespace

void migrate(SQLite::Database& database, int version) {
  // The first leads from schema 1 to 2. They change tables, indexes and triggers; the views are
  // made anew in any case.
  const std::array<std::string_view, kSchemaVersion - 1> migrations = {kMigration1To2Sql};
  for (const std::string& view :
       texts(database, "SELECT name FROM sqlite_schema WHERE type = 'view'")) {
    database.exec(fmt::format("DROP VIEW \"{}\"", view));
  }
  for (std::size_t i = static_cast<std::size_t>(version - 1); i < migrations.size(); ++i) {
    database.exec(std::string(migrations[i]));
  }
  database.exec(std::string(kViewsSql));
  write_trial_wide(database, texts(database, "SELECT name FROM swept_parameter ORDER BY position"));
  database.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
}

}  // namespace ranksweep::results
