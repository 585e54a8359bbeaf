#include "worker/data/manifest.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "worker/data/data_set.h"
#include "worker/data/problems.h"

namespace ranksweep::worker {
namespace {

struct Record {
  int line = 0;
  std::vector<std::string> fields;
};

// Splits CSV text into records (RFC 4180), with the line on which each begins.
class CsvReader {
 public:
  CsvReader(std::string text, std::string name) : text_(std::move(text)), name_(std::move(name)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  // The next record that is not blank; none at the end.
  std::optional<Record> next() {
    while (at_ < text_.size()) {
      Record record{line_, {}};
      do {
        record.fields.push_back(read_field());
      } while (take(','));
      take('\r');
      if (at_ < text_.size() && !take('\n')) fail(line_, "text after a closing quote");
      ++line_;
      if (record.fields.size() > 1 || !record.fields[0].empty()) return record;
    }
    return std::nullopt;
  }

 private:
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string read_field() {
    if (take('"')) return read_quoted();
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string field = text_.substr(at_, end - at_);
    at_ = end;
    return field;
  }

  std::string read_quoted() {
    const int begin = line_;
    std::string field;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"' && !take('"')) return field;
      if (c == '\n') ++line_;
      field += c;
    }
    fail(begin, "a quote is opened and never closed");
  }

  [[noreturn]] void fail(int line, const char* what) const {
    throw DataError(
        fmt::format("{}:{}: {}; the manifest must be CSV as in RFC 4180", name_, line, what));
  }

  std::string text_;
  std::string name_;
  std::size_t at_ = 0;
  int line_ = 1;
};

// Where the columns are. path and label always are there.
struct Columns {
  std::size_t count = 0;
  std::size_t path = 0;
  std::size_t label = 0;
  std::optional<std::size_t> group;
  std::optional<std::size_t> split;
};

Columns find_columns(const std::optional<Record>& header, const std::string& name) {
  if (!header)
    throw DataError(
        fmt::format("{}: is empty; its first line must name the columns: path,label", name));
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < header->fields.size(); ++i) {
    std::string column = header->fields[i];
    if (column == "person") column = "group";
    if (index.try_emplace(column, i).second) continue;
    throw DataError(fmt::format("{}:{}: column '{}' is there twice{}", name, header->line, column,
                                column == "group" ? " (person means group)" : ""));
  }
  for (const char* column : {"path", "label"}) {
    if (index.contains(column)) continue;
    throw DataError(
        fmt::format("{}:{}: there is no column '{}'; found: {}; the first line names "
                    "the columns path, label and, if wanted, group and split",
                    name, header->line, column, fmt::join(header->fields, ", ")));
  }
  const auto find = [&](const char* column) -> std::optional<std::size_t> {
    const auto place = index.find(column);
    return place == index.end() ? std::nullopt : std::optional(place->second);
  };
  return {header->fields.size(), index["path"], index["label"], find("group"), find("split")};
}

// What is wrong with a row; empty when nothing is.
std::string find_mistake(const ManifestRow& row, bool has_split) {
  if (row.path.empty()) return "the path is empty";
  if (row.path.find('\0') != std::string::npos) return "the path holds a zero byte";
  if (row.label.empty()) return "the label is empty";
  if (has_split && row.split != "train" && row.split != "val" && row.split != "test") {
    return fmt::format("split '{}' is unknown; use train, val or test", row.split);
  }
  return "";
}

}  // namespace

std::vector<ManifestRow> read_manifest(std::istream& input, const std::string& name) {
  std::ostringstream text;
  text << input.rdbuf();
  CsvReader reader(std::move(text).str(), name);
  const Columns columns = find_columns(reader.next(), name);
  std::vector<ManifestRow> rows;
  std::map<std::string, int> lines;  // where each path was first seen
  Problems problems;
  while (const auto record = reader.next()) {
    const auto& fields = record->fields;
    const auto complain = [&](const std::string& mistake) {
      problems.add(fmt::format("{}:{}: {}", name, record->line, mistake));
    };
    if (fields.size() != columns.count) {
      complain(
          fmt::format("{} fields where the first line names {}; put a field with a comma in "
                      "double quotes",
                      fields.size(), columns.count));
      continue;
    }
    ManifestRow row{record->line, fields[columns.path], fields[columns.label],
                    columns.group ? fields[*columns.group] : "",
                    columns.split ? fields[*columns.split] : ""};
    const auto [first, is_new] = lines.try_emplace(row.path, row.line);
    if (std::string mistake = find_mistake(row, columns.split.has_value()); !mistake.empty()) {
      complain(mistake);
    } else if (!is_new) {
      complain(fmt::format("'{}' is on line {} already", row.path, first->second));
    }
    rows.push_back(std::move(row));
  }
  problems.throw_if_any();
  return rows;
}

}  // namespace ranksweep::worker
