#include "sweeps/document.h"

#include <algorithm>

#include <fmt/format.h>

namespace ranksweep::sweeps {
namespace {

// "`[2, 1]`" when that is short, else how many items there are.
std::string show_list(const std::vector<Node>& items) {
  constexpr std::size_t kMostShown = 4;
  const bool is_short =
      items.size() <= kMostShown && std::all_of(items.begin(), items.end(), [](const Node& item) {
        return item.kind == Node::Kind::scalar && !item.quoted && item.text.size() <= 12;
      });
  if (!is_short) return fmt::format("a list of {}", items.size());
  std::string text;
  for (const Node& item : items) text += (text.empty() ? "" : ", ") + item.text;
  return fmt::format("`[{}]`", text);
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& candidate) {
    return candidate.key.text == key;
  });
  return entry == entries.end() ? nullptr : &*entry;
}

Node node_from_json(const nlohmann::json& value) {
  Node node;
  if (value.is_object()) {
    node.kind = Node::Kind::mapping;
    for (const auto& [key, child] : value.items()) {
      node.entries.push_back({node_from_json(key), node_from_json(child)});
    }
  } else if (value.is_array()) {
    node.kind = Node::Kind::list;
    for (const auto& child : value) node.items.push_back(node_from_json(child));
  } else {
    node.scalar = value;
    node.text = value.is_string() ? value.get<std::string>() : value.dump();
    node.quoted = value.is_string();
  }
  return node;
}

nlohmann::json node_to_json(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.scalar;
  if (node.kind == Node::Kind::list) {
    auto list = nlohmann::json::array();
    for (const Node& item : node.items) list.push_back(node_to_json(item));
    return list;
  }
  auto mapping = nlohmann::json::object();
  for (const Entry& entry : node.entries) mapping[entry.key.text] = node_to_json(entry.value);
  return mapping;
}

std::string show(const Node& node) {
  constexpr std::size_t kLongest = 60;
  if (node.kind == Node::Kind::list) return show_list(node.items);
  if (node.kind == Node::Kind::mapping) return "a mapping";
  if (node.scalar.is_null() && node.text.empty()) return "nothing";
  std::string text = node.text;
  if (text.size() > kLongest) {
    std::size_t end = kLongest;  // not inside a character of several bytes
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return node.quoted ? fmt::format("the text \"{}\"", text) : fmt::format("`{}`", text);
}

}  // namespace ranksweep::sweeps
