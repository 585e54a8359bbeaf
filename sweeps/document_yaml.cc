#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "sweeps/document.h"

namespace ranksweep::sweeps {
namespace {

constexpr std::size_t kLargestFile = 16U << 20U;  // bytes
constexpr std::size_t kMostNodes = 1'000'000;     // aliases counted as often as they are used
constexpr std::size_t kDeepest = 64;

// Ends the reading: the rest of the file cannot be understood.
struct Unreadable {
  Diagnostic diagnostic;
};

bool is_integer(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The core schema's numbers in decimal: 7, -0.5, .5, 1e-3, .inf, .nan.
std::optional<double> read_double(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == ".inf" || text == ".Inf" || text == ".INF") return negative ? -kInfinity : kInfinity;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
      text[0] == '-' || text[0] == '+') {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    value = text.find("e-") == std::string_view::npos && text.find("E-") == std::string_view::npos
                ? kInfinity
                : 0;
  }
  return negative ? -value : value;
}

nlohmann::json resolve_plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (is_integer(text)) {
    const char* first = text.data() + (text[0] == '+' ? 1 : 0);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
    if (error == std::errc{}) return value;
  }
  if (const auto value = read_double(text)) return *value;
  return text;
}

Node make_scalar(const YAML::Mark& mark, const std::string& text, bool quoted) {
  Node node;
  node.text = text;
  node.quoted = quoted;
  node.scalar = quoted ? nlohmann::json(text) : resolve_plain(text);
  node.line = mark.line + 1;
  node.column = mark.column + 1;
  return node;
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Entry& entry : node.entries) count += 1 + count_nodes(entry.value);
  return count;
}

// Builds nodes from the parser's events. Events instead of YAML::Node: that keeps duplicate keys
// and quotes apart, and lets depth and size be limited while reading.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::vector<Diagnostic>& found) : found_(found) {}

  bool has_root() const { return root_.has_value(); }
  Node take_root() { return std::move(*root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make_scalar(mark, "", false), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_text = tag == "!" || tag == "tag:yaml.org,2002:str";  // quotes, or `!!str`
    if (!is_text) refuse_tag(mark, tag);
    finish(make_scalar(mark, value, is_text), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end()) {
      throw Unreadable{{mark.line + 1, mark.column + 1, "an alias that contains itself"}};
    }
    nodes_ += count_nodes(target->second);
    check_size(mark);
    finish(target->second, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, Node::Kind::list, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, Node::Kind::mapping, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Node> key;  // waits for its value
    std::vector<Node> merged;
    std::set<std::string> keys;
  };

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    found_.push_back({mark.line + 1, mark.column + 1,
                      fmt::format("a tag (`{}`) means nothing in a sweep", tag)});
  }

  void check_size(const YAML::Mark& mark) {
    if (nodes_ > kMostNodes) {
      throw Unreadable{{mark.line + 1, mark.column + 1,
                        fmt::format("more than {} values; a sweep of that size wants a grid, or "
                                    "several files",
                                    kMostNodes)}};
    }
  }

  void open(const YAML::Mark& mark, Node::Kind kind, YAML::anchor_t anchor) {
    if (levels_.size() >= kDeepest) {
      throw Unreadable{{mark.line + 1, mark.column + 1,
                        fmt::format("nested deeper than {} levels; a sweep needs five", kDeepest)}};
    }
    Level level;
    level.node.kind = kind;
    level.node.line = mark.line + 1;
    level.node.column = mark.column + 1;
    level.anchor = anchor;
    levels_.push_back(std::move(level));
    ++nodes_;
    check_size(mark);
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    for (const Node& base : level.merged) merge(base, level);
    finish(std::move(level.node), level.anchor);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::list) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      level.key = std::move(node);
    } else {
      add_entry(level, std::move(node));
    }
  }

  void add_entry(Level& level, Node value) {
    Node key = std::move(*level.key);
    level.key.reset();
    if (key.kind != Node::Kind::scalar) {
      found_.push_back(
          {key.line, key.column, fmt::format("a key must be a name; found {}", show(key))});
      return;
    }
    if (key.text == "<<" && !key.quoted) {
      add_merged(level, std::move(value));
      return;
    }
    if (!level.keys.insert(key.text).second) {
      found_.push_back({key.line, key.column,
                        fmt::format("`{}` is given twice; first in line {}", key.text,
                                    first_line(level.node, key.text))});
      return;
    }
    level.node.entries.push_back({std::move(key), std::move(value)});
  }

  void add_merged(Level& level, Node value) {
    if (value.kind == Node::Kind::mapping) {
      level.merged.push_back(std::move(value));
      return;
    }
    bool good = value.kind == Node::Kind::list;
    for (const Node& item : value.items) good &= item.kind == Node::Kind::mapping;
    if (!good) {
      found_.push_back(
          {value.line, value.column,
           fmt::format("`<<` takes a mapping or a list of mappings; found {}", show(value))});
      return;
    }
    for (Node& item : value.items) level.merged.push_back(std::move(item));
  }

  static int first_line(const Node& mapping, const std::string& key) {
    return mapping.find(key)->key.line;
  }

  // https://yaml.org/type/merge.html: what the mapping has itself wins, then the earlier base.
  static void merge(const Node& base, Level& level) {
    for (const Entry& entry : base.entries) {
      if (level.keys.insert(entry.key.text).second) level.node.entries.push_back(entry);
    }
  }

  std::vector<Diagnostic>& found_;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80   ? 1
                           : byte(0) < 0xC2 ? 0
                           : byte(0) < 0xE0 ? 2
                           : byte(0) < 0xF0 ? 3
                           : byte(0) < 0xF5 ? 4
                                            : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool is_overlong_or_surrogate =
      size > 2 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
                   (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F));
  return is_overlong_or_surrogate ? 0 : size;
}

// yaml-cpp takes some control characters for the end of the file, and passes other bytes on.
void refuse_binary(const std::string& source) {
  int line = 1;
  int column = 1;
  for (std::size_t at = 0, size = 0; at < source.size(); at += size) {
    const char c = source[at];
    const auto byte = static_cast<unsigned char>(c);
    size = character_size(std::string_view(source).substr(at));
    if (size == 0) {
      throw Unreadable{{line, column, fmt::format("a byte that is no UTF-8 (0x{:02X})", byte)}};
    }
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F) {
      throw Unreadable{
          {line, column,
           fmt::format("a control character (0x{:02X}); is this a text file in UTF-8?", byte)}};
    }
    column = c == '\n' ? 1 : column + static_cast<int>(size);
    line += c == '\n' ? 1 : 0;
  }
}

// The diagnostic for what yaml-cpp says. It calls a tab in the indentation many things.
Diagnostic explain(const YAML::Exception& error, const std::string& source) {
  const int line = std::max(0, error.mark.line);
  std::istringstream lines(source);
  std::string text;
  for (int i = 0; i <= line; ++i) std::getline(lines, text);
  const std::string indent = text.substr(0, text.find_first_not_of(" \t"));
  if (const std::size_t tab = indent.find('\t'); tab != std::string::npos) {
    return {line + 1, static_cast<int>(tab) + 1,
            "the line is indented with a tab; YAML takes spaces only"};
  }
  return {line + 1, std::max(0, error.mark.column) + 1, fmt::format("no YAML: {}", error.msg)};
}

Node read(const std::string& source, std::vector<Diagnostic>& found) {
  if (source.size() > kLargestFile) {
    throw Unreadable{
        {0, 0,
         fmt::format("the file has {} bytes; at most {} are read", source.size(), kLargestFile)}};
  }
  refuse_binary(source);
  std::istringstream stream(source);
  Builder builder(found);
  try {
    YAML::Parser parser(stream);
    const bool any = parser.HandleNextDocument(builder);
    if (!any || !builder.has_root()) {
      throw Unreadable{{0, 0, "the file is empty; `ranksweep init` writes a sweep to start from"}};
    }
    Node root = builder.take_root();
    Builder second(found);
    if (parser.HandleNextDocument(second)) {
      throw Unreadable{{0, 0, "more than one YAML document (`---`); a sweep is one"}};
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw Unreadable{explain(error, source)};
  }
}

}  // namespace

Node read_document(const std::string& source, const std::filesystem::path& file,
                   std::vector<Diagnostic>& found) {
  try {
    return read(source, found);
  } catch (const Unreadable& unreadable) {
    found.push_back(unreadable.diagnostic);
    throw SweepError(file, found);
  }
}

}  // namespace ranksweep::sweeps
