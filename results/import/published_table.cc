#include "results/import/published_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

// One line of RFC 4180, whose fields hold no line breaks.
std::vector<std::string> split_csv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

// How many digits stand behind the decimal point of "1.0903e-07": 4 + 7.
int decimals_of(const std::string& number) {
  const std::size_t exponent = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = number.find('.');
  int decimals = point < exponent ? static_cast<int>(exponent - point - 1) : 0;
  if (exponent < number.size()) decimals -= std::atoi(number.c_str() + exponent + 1);
  return decimals;
}

std::optional<PrintedNumber> parse_number(std::string text) {
  PrintedNumber number{.text = text};
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  while (text.ends_with(' ')) text.pop_back();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number.value)) {
    return std::nullopt;
  }
  number.half_digit = 0.5 * std::pow(10, -decimals_of(text));
  if (percent) {
    number.value /= 100;
    number.half_digit /= 100;
  }
  return number;
}

class Parser {
 public:
  explicit Parser(const std::filesystem::path& file) : file_(file) {}

  void take_heading(const std::string& line) {
    const auto names = split_csv(line);
    for (std::size_t i = 0; i < names.size(); ++i) columns_[names[i]] = i;
    for (const char* needed : {"model", "min_val_loss"}) {
      if (!columns_.contains(needed)) {
        fail(
            fmt::format("no column '{}'; the columns are model, min_val_loss_epoch, min_val_loss, "
                        "val_accuracy, train_loss, train_accuracy",
                        needed));
      }
    }
  }

  PublishedRow row(const std::string& line) {
    fields_ = split_csv(line);
    PublishedRow row;
    row.model = field("model");
    if (row.model.empty()) fail("the model has no name");
    const std::string epoch = field("min_val_loss_epoch");
    if (!epoch.empty()) {
      int value = 0;
      const auto [end, error] = std::from_chars(epoch.data(), epoch.data() + epoch.size(), value);
      if (error != std::errc() || end != epoch.data() + epoch.size() || value < 1) {
        fail(fmt::format("'{}' is no epoch: a whole number from 1 is wanted", epoch));
      }
      row.best_epoch = value;
    }
    row.val_loss = number("min_val_loss");
    row.val_accuracy = number("val_accuracy");
    row.train_loss = number("train_loss");
    row.train_accuracy = number("train_accuracy");
    return row;
  }

  void next_line() { ++line_; }

 private:
  std::string field(const std::string& column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() || found->second >= fields_.size() ? "" : fields_[found->second];
  }

  std::optional<PrintedNumber> number(const std::string& column) const {
    const std::string text = field(column);
    if (text.empty()) return std::nullopt;
    auto parsed = parse_number(text);
    if (!parsed)
      fail(fmt::format("'{}' in column {} is no number like 0.0279 or 99.57%", text, column));
    return parsed;
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw StoreError(fmt::format("{}:{}: {}", file_.string(), line_, reason));
  }

  const std::filesystem::path& file_;
  int line_ = 1;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> fields_;
};

std::string letters_and_digits(const std::string& text) {
  std::string result;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80) result += static_cast<char>(std::tolower(byte));
  }
  return result;
}

bool agrees(const std::optional<PrintedNumber>& published,
            const std::optional<double>& reproduced) {
  return !published || (reproduced && published->agrees_with(*reproduced));
}

}  // namespace

bool PrintedNumber::agrees_with(double other) const {
  return std::abs(value - other) <= half_digit * (1 + 1e-9);
}

std::vector<PublishedRow> read_published_table(const std::filesystem::path& file) {
  std::ifstream in(file);
  Parser parser(file);
  std::string line;
  if (!std::getline(in, line)) {
    throw StoreError(fmt::format("{}: cannot be read, or is empty", file.string()));
  }
  parser.take_heading(line);
  std::vector<PublishedRow> rows;
  while (std::getline(in, line)) {
    parser.next_line();
    if (line.find_first_not_of(" \r,") != std::string::npos) rows.push_back(parser.row(line));
  }
  return rows;
}

bool same_model(const std::string& a, const std::string& b) {
  return letters_and_digits(a) == letters_and_digits(b);
}

bool agrees(const PublishedRow& published, const RankedTrial& reproduced) {
  return (!published.best_epoch || published.best_epoch == reproduced.best_epoch) &&
         agrees(published.val_loss, reproduced.val_loss) &&
         agrees(published.val_accuracy, reproduced.val_accuracy) &&
         agrees(published.train_loss, reproduced.train_loss) &&
         agrees(published.train_accuracy, reproduced.train_accuracy);
}

}  // namespace ranksweep::results
