#pragma once

namespace SQLite {
class Database;
}

namespace ranksweep::results {

// Brings a database of an earlier schema, `version`, to kSchemaVersion, in the caller's
// transaction.
void migrate(SQLite::Database& database, int version);

}  // namespace ranksweep::results
