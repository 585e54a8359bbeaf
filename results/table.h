#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace ranksweep::results {

using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

// How people read a column's numbers. CSV and JSON give them in full, whatever this says.
enum class Show {
  plain,     // text; numbers in the shortest form that reads back the same
  loss,      // 0.0279, 1.090e-07
  percent,   // of a fraction: 99.00 %
  duration,  // of seconds: 1 h 02 min
  count,     // 23 587 712
  identity,  // of a trial: its first eight digits
};

struct Column {
  std::string name;     // in CSV and JSON: "val_loss"
  std::string heading;  // for people: "val loss"
  Show show = Show::plain;
};

// Rows of equal length, for people and for programs.
struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
};

enum class TableFormat { text, markdown, latex, csv, json };

// "table" (or "text"), "markdown", "latex", "csv", "json". Throws std::invalid_argument.
TableFormat table_format_from(const std::string& name);

// Every form ends with a newline. Text that came from a user cannot break out of its cell, and what
// is no UTF-8 becomes U+FFFD.
//   text      aligned columns for a terminal, long cells cut short; control characters as spaces
//   markdown  a table of GitHub Flavored Markdown
//   latex     a tabular, to be used with \usepackage{booktabs}
//   csv       RFC 4180, with a heading; NULL is an empty field
//   json      an array of objects by column name; a number that is not finite is null
std::string render(const Table& table, TableFormat format);

// A cell as the text and markdown forms show it, before they escape it. NULL is empty.
std::string show_cell(const Cell& cell, Show show);

}  // namespace ranksweep::results
