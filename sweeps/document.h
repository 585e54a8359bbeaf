#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sweeps/sweep_spec.h"

namespace ranksweep::sweeps {

struct Entry;

// A value of a sweep file and where it stands: the part of YAML that the language of a sweep uses.
// Aliases and merge keys (`<<`) are resolved; plain scalars are read as YAML 1.2's core schema has
// them, so `no` and `on` are texts.
struct Node {
  enum class Kind { scalar, list, mapping };

  Kind kind = Kind::scalar;
  nlohmann::json scalar;       // null, boolean, integer, float or string
  std::string text;            // a scalar as it was written
  bool quoted = false;         // a scalar in quotes, or a block of text
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a mapping, in the file's order; no two keys equal
  int line = 0;                // of the first character, from 1; 0 where there is no file
  int column = 0;

  bool is_text() const { return kind == Kind::scalar && scalar.is_string(); }
  const Entry* find(std::string_view key) const;  // null when there is none
};

struct Entry {
  Node key;  // a text
  Node value;
};

// Reads YAML. Adds to `found` every duplicate key and every key that is no text. Throws SweepError
// when the rest cannot be read: it is no YAML, or too large, or too deep.
Node read_document(const std::string& source, const std::filesystem::path& file,
                   std::vector<Diagnostic>& found);

// The same for a JSON value, which has no places.
Node node_from_json(const nlohmann::json&);
nlohmann::json node_to_json(const Node&);

// "0.1", "the text \"0.1\"", "a list", "a mapping", "nothing": for messages, shortened.
std::string show(const Node&);

}  // namespace ranksweep::sweeps
