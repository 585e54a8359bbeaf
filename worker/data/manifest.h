#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace ranksweep::worker {

// One line of a manifest.
struct ManifestRow {
  int line = 0;       // where it begins, from 1
  std::string path;   // as written
  std::string label;  // not empty
  std::string group;  // may be empty
  std::string split;  // "train", "val", "test"; empty in a manifest without that column
};

// Reads a CSV manifest (RFC 4180; UTF-8, with or without a byte order mark). Its first line names
// the columns, in any order: path, label; if wanted group or person, and split. Other columns are
// passed over. `name` stands in front of messages. Throws DataError with all mistakes: a column
// that is missing or there twice, a line with another number of fields, an empty path or label, an
// unknown split, a path that occurs twice, a quote that is not closed.
std::vector<ManifestRow> read_manifest(std::istream& input, const std::string& name);

}  // namespace ranksweep::worker
