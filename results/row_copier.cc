#include "results/row_copier.h"

#include <algorithm>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ranksweep::results {
namespace {

void bind_column(SQLite::Statement& statement, int place, const SQLite::Column& value) {
  if (value.isInteger()) {
    statement.bind(place, value.getInt64());
  } else if (value.isFloat()) {
    statement.bind(place, value.getDouble());
  } else if (value.isText()) {
    statement.bind(place, value.getString());
  } else if (value.isBlob()) {
    statement.bind(place, value.getBlob(), value.getBytes());
  } else {
    statement.bind(place);
  }
}

}  // namespace

std::vector<std::string> table_names(SQLite::Database& database) {
  std::vector<std::string> names;
  SQLite::Statement query(database,
                          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                          "'sqlite\\_%' ESCAPE '\\' ORDER BY name");
  while (query.executeStep()) names.push_back(query.getColumn(0).getString());
  return names;
}

RowCopier::RowCopier(SQLite::Database& source, SQLite::Database& target,
                     std::map<std::int64_t, TrialTarget> trials)
    : source_(source), target_(target), trials_(std::move(trials)) {
  for (const std::string& table : table_names(target)) {
    if (table == "sweep" || table == "trial") continue;
    SQLite::Statement numbered(target,
                               "SELECT 1 FROM pragma_table_info(?) WHERE name = 'id' AND pk > 0");
    numbered.bind(1, table);
    if (!numbered.executeStep()) continue;
    offsets_[table] =
        target.execAndGet(fmt::format("SELECT coalesce(max(id), 0) FROM {}", table)).getInt64();
  }
}

std::vector<RowCopier::Column> RowCopier::columns_of(const std::string& table) {
  const auto refers_to = [&](Column& column, const std::string& other) {
    if (other == "sweep") {
      column.meaning = Meaning::sweep;
    } else if (other == "trial") {
      column.meaning = Meaning::trial;
    } else if (const auto found = offsets_.find(other); found != offsets_.end()) {
      column.meaning = Meaning::numbered;
      column.offset = found->second;
    }
  };
  std::vector<Column> columns;
  SQLite::Statement info(target_, "SELECT name FROM pragma_table_info(?)");
  info.bind(1, table);
  while (info.executeStep()) {
    Column& column = columns.emplace_back(Column{.name = info.getColumn(0).getString()});
    if (column.name == "id") refers_to(column, table);
  }
  SQLite::Statement keys(target_,
                         "SELECT \"from\", \"table\" FROM pragma_foreign_key_list(?) WHERE "
                         "\"to\" = 'id'");
  keys.bind(1, table);
  while (keys.executeStep()) {
    const std::string name = keys.getColumn(0).getString();
    const auto column = std::find_if(columns.begin(), columns.end(),
                                     [&](const Column& one) { return one.name == name; });
    refers_to(*column, keys.getColumn(1).getString());
  }
  return columns;
}

void RowCopier::copy(const std::string& table) {
  const std::vector<Column> columns = columns_of(table);
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back('"' + column.name + '"');
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  // What belongs to the sweep as a whole may be known to several sources.
  const bool may_be_known = !offsets_.contains(table) &&
                            std::any_of(columns.begin(), columns.end(), [](const Column& column) {
                              return column.meaning == Meaning::sweep;
                            });
  SQLite::Statement from(source_, fmt::format("SELECT {} FROM {}", list, table));
  SQLite::Statement to(
      target_,
      fmt::format("INSERT {}INTO {} ({}) VALUES ({})", may_be_known ? "OR IGNORE " : "", table,
                  list, fmt::join(std::vector<std::string>(columns.size(), "?"), ", ")));
  while (from.executeStep()) {
    bool wanted = true;
    to.reset();
    to.clearBindings();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const SQLite::Column value = from.getColumn(static_cast<int>(i));
      const int place = static_cast<int>(i + 1);
      if (columns[i].meaning == Meaning::value || value.isNull()) {
        bind_column(to, place, value);
      } else if (columns[i].meaning == Meaning::sweep) {
        to.bind(place, std::int64_t{1});
      } else if (columns[i].meaning == Meaning::numbered) {
        to.bind(place, value.getInt64() + columns[i].offset);
      } else {
        const TrialTarget& trial = trials_.at(value.getInt64());
        wanted = wanted && (trial.chosen || table == "attempt");
        to.bind(place, trial.row);
      }
    }
    if (wanted) to.exec();
  }
}

}  // namespace ranksweep::results
