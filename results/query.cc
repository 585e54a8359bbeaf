#include "results/query.h"

#include <map>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(sqlite3* database, const char* sql, const char** rest) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, rest) != SQLITE_OK) {
    throw StoreError(fmt::format("the query cannot be understood: {}", sqlite3_errmsg(database)));
  }
  return Statement(statement);
}

// SQLiteCpp shows neither what is left after a statement nor whether the statement would write.
Statement prepare_one(sqlite3* database, const std::string& sql) {
  const char* rest = nullptr;
  Statement statement = prepare(database, sql.c_str(), &rest);
  if (statement == nullptr) throw StoreError("the query is empty; give a SELECT");
  if (prepare(database, rest, &rest) != nullptr) {
    throw StoreError("the query has more than one statement; give one at a time");
  }
  if (sqlite3_stmt_readonly(statement.get()) == 0) {
    throw StoreError("the query would change the database, which is only read; give a SELECT");
  }
  return statement;
}

std::string blob_literal(const unsigned char* bytes, int count) {
  std::string text = "x'";
  for (int i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text + "'";
}

Cell read_cell(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
      return blob_literal(bytes, sqlite3_column_bytes(row, column));
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
  }
}

std::vector<Column> columns_of(sqlite3_stmt* statement) {
  std::vector<Column> columns;
  std::map<std::string, int> seen;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    std::string name = sqlite3_column_name(statement, i);
    const int times = ++seen[name];
    if (times > 1) name += fmt::format(":{}", times);
    columns.push_back({name, name});
  }
  return columns;
}

}  // namespace

Table run_query(sqlite3* database, const std::string& sql) {
  const Statement statement = prepare_one(database, sql);
  Table table{columns_of(statement.get()), {}};
  int result = SQLITE_OK;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {
    auto& row = table.rows.emplace_back();
    for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
      row.push_back(read_cell(statement.get(), i));
    }
  }
  if (result != SQLITE_DONE) {
    throw StoreError(fmt::format("the query failed: {}", sqlite3_errmsg(database)));
  }
  return table;
}

}  // namespace ranksweep::results
