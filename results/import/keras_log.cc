#include "results/import/keras_log.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Lines as they were seen: a progress bar that redraws itself, by a carriage return or backspaces,
// is a line each time. Without the escape sequences of colours.
struct Line {
  int number = 0;
  std::string text;
};

std::vector<Line> split_lines(std::string_view text) {
  std::vector<Line> lines = {{1, ""}};
  int number = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\x1b') {  // up to the letter that ends the sequence
      while (i + 1 < text.size() && !std::isalpha(static_cast<unsigned char>(text[i + 1]))) ++i;
      ++i;
    } else if (c == '\n' || c == '\r' || c == '\b') {
      if (c == '\n') ++number;
      if (lines.back().text.empty()) {
        lines.back().number = number;
      } else {
        lines.push_back({number, ""});
      }
    } else {
      lines.back().text += c == '\t' ? ' ' : c;
    }
  }
  return lines;
}

// Reads a whole number at `at` and moves behind it.
std::optional<int> read_whole(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  int value = 0;
  while (at < text.size() && is_digit(text[at]) && at - begin < 9)
    value = value * 10 + (text[at++] - '0');
  return at == begin ? std::nullopt : std::optional(value);
}

void skip_blanks(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == ' ') ++at;
}

struct Fraction {  // "12/30", and where it ends
  int part = 0;
  int whole = 0;
  std::size_t end = 0;
};

std::optional<Fraction> read_fraction(std::string_view text, std::size_t at) {
  skip_blanks(text, at);
  const auto part = read_whole(text, at);
  skip_blanks(text, at);
  if (!part || at >= text.size() || text[at] != '/') return std::nullopt;
  skip_blanks(text, ++at);
  const auto whole = read_whole(text, at);
  if (!whole) return std::nullopt;
  return Fraction{*part, *whole, at};
}

// "Epoch 12/30", alone on its line.
std::optional<Fraction> read_heading(std::string_view text) {
  std::size_t at = 0;
  skip_blanks(text, at);
  constexpr std::string_view kWord = "Epoch";
  if (text.substr(at, kWord.size()) != kWord) return std::nullopt;
  const auto fraction = read_fraction(text, at + kWord.size());
  if (!fraction || text.find_first_not_of(' ', fraction->end) != std::string_view::npos) {
    return std::nullopt;
  }
  return fraction;
}

// The name before a colon: letters, digits, underscores and blanks, a blank for a lost underscore.
std::string name_before(std::string_view text, std::size_t colon) {
  std::size_t begin = colon;
  while (begin > 0 && (std::isalnum(static_cast<unsigned char>(text[begin - 1])) ||
                       text[begin - 1] == '_' || text[begin - 1] == ' ')) {
    --begin;
  }
  std::string name;
  for (char c : text.substr(begin, colon - begin)) {
    if (c != ' ') {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

std::string_view word_after(std::string_view text, std::size_t at) {
  skip_blanks(text, at);
  return text.substr(at, text.find(' ', at) - at);
}

// A number as Keras prints it: 0.7518, 1.0903e-07, nan, inf.
std::optional<double> keras_number(std::string_view word) {
  if (word == "nan" || word == "-nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf" || word == "-inf") return std::numeric_limits<double>::infinity();
  const std::size_t point = word.find('.');
  if (point == std::string_view::npos || word.size() < point + 5) return std::nullopt;
  for (std::size_t i = 0; i < point + 5; ++i) {
    if (i != point && !is_digit(word[i]) && !(i == 0 && word[0] == '-')) return std::nullopt;
  }
  const std::string_view exponent = word.substr(point + 5);
  if (!exponent.empty()) {
    const bool is_exponent = exponent.size() >= 3 && exponent[0] == 'e' &&
                             (exponent[1] == '-' || exponent[1] == '+') &&
                             std::all_of(exponent.begin() + 2, exponent.end(), is_digit);
    if (!is_exponent) return std::nullopt;
  }
  return std::strtod(std::string(word).c_str(), nullptr);
}

// Each "name: word" of a line, the first of each name.
std::map<std::string, std::string> read_pairs(std::string_view text) {
  std::map<std::string, std::string> pairs;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    pairs.emplace(name_before(text, colon), word_after(text, colon + 1));
  }
  return pairs;
}

// What stands behind a metric's name, or behind one that ends so: "binary_accuracy".
std::optional<std::string> find_metric(const std::map<std::string, std::string>& pairs,
                                       bool validation, std::string_view part) {
  const auto exact = pairs.find((validation ? "val_" : "") + std::string(part));
  if (exact != pairs.end()) return exact->second;
  for (const auto& [name, word] : pairs) {
    if (name.starts_with("val") == validation && name.ends_with(part)) return word;
  }
  return std::nullopt;
}

// "13s" of "13s 183ms/step". A damaged time, "1:0s", is none.
std::optional<double> read_seconds(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view word = word_after(text, at);
    at =
        static_cast<std::size_t>(word.data() - text.data()) + std::max<std::size_t>(word.size(), 1);
    if (word.size() >= 2 && word.size() <= 9 && word.back() == 's' &&
        std::all_of(word.begin(), word.end() - 1, is_digit)) {
      return std::strtod(std::string(word).c_str(), nullptr);
    }
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  void take(const Line& line) {
    if (const auto heading = read_heading(line.text)) {
      take_heading(line, *heading);
    } else if (line.text.find(':') != std::string::npos) {
      take_row(line);
    }
  }

  KerasLog finish() && {
    end_stretch(log_.planned_epochs);
    if (log_.rows.empty()) {
      throw StoreError(fmt::format(
          "{}: no line in it is the progress of a Keras epoch with a validation loss; give what "
          "model.fit printed, with validation data and verbose=1 or 2",
          name_));
    }
    note_ambiguous_rows();
    std::stable_sort(log_.notes.begin(), log_.notes.end(),
                     [](const KerasNote& a, const KerasNote& b) { return a.line < b.line; });
    return std::move(log_);
  }

 private:
  void take_heading(const Line& line, const Fraction& heading) {
    if (heading.part == 0 || (heading.part <= heading_ && heading_line_ != line.number)) {
      throw StoreError(fmt::format(
          "{}:{}: epoch {} after epoch {}: this is another run; put each run in a file of its own",
          name_, line.number, heading.part, heading_));
    }
    if (heading.part == heading_) return;  // drawn again
    end_stretch(heading.part - 1);
    heading_ = heading.part;
    heading_line_ = line.number;
    log_.heading_lines[heading_] = line.number;
    if (!log_.planned_epochs) log_.planned_epochs = heading.whole;
  }

  void take_row(const Line& line) {
    const auto pairs = read_pairs(line.text);
    const auto val_loss = find_metric(pairs, true, "loss");
    if (!val_loss) {
      note_incomplete_row(line, pairs);
      return;
    }
    if (incomplete_line_ == line.number) {  // now the bar is complete
      log_.notes.pop_back();
      incomplete_line_ = 0;
    }
    KerasRow row{.line = line.number};
    const auto believed = keras_number(*val_loss);
    if (!believed) {
      note(line, fmt::format("left out: its validation loss is '{}', and Keras prints four "
                             "decimals",
                             *val_loss));
      return;
    }
    row.val_loss = *believed;
    row.val_accuracy = number_of(line, pairs, true, "acc", "accuracy", "validation accuracy");
    row.train_loss = number_of(line, pairs, false, "loss", "loss", "training loss");
    row.train_accuracy = number_of(line, pairs, false, "acc", "accuracy", "training accuracy");
    row.seconds = read_seconds(line.text);
    if (!row.seconds) note(line, "how long the epoch took cannot be read, and counts as 0 s");
    stretch_.push_back(row);
  }

  std::optional<double> number_of(const Line& line, const std::map<std::string, std::string>& pairs,
                                  bool validation, std::string_view suffix,
                                  std::string_view long_suffix, const char* what) {
    auto word = find_metric(pairs, validation, suffix);
    if (!word) word = find_metric(pairs, validation, long_suffix);
    if (!word) return std::nullopt;
    const auto number = keras_number(*word);
    if (!number) {
      note(line, fmt::format("its {} is '{}', and Keras prints four decimals: not taken over", what,
                             *word));
    }
    return number;
  }

  // The last step of an epoch without validation figures. Earlier steps have none either.
  void note_incomplete_row(const Line& line, const std::map<std::string, std::string>& pairs) {
    const auto steps = read_fraction(line.text, 0);
    if (!find_metric(pairs, false, "loss") || !steps || steps->part != steps->whole) return;
    if (incomplete_line_ == line.number) return;
    incomplete_line_ = line.number;
    note(line, "left out: an epoch without a validation loss");
  }

  // The rows since the last heading are later than it and, all together, no later than `last`.
  // First each as early as it can be; then, from the back, as late as it can.
  void end_stretch(const std::optional<int>& last) {
    int earliest = std::max(heading_, log_.rows.empty() ? 1 : log_.rows.back().earliest + 1);
    std::size_t placed = log_.rows.size();
    for (KerasRow& row : stretch_) {
      if (last && earliest > *last) {
        note({row.line, ""}, fmt::format("left out: there is no epoch between {} and {} for it",
                                         std::max(heading_, 1), *last + 1));
        continue;
      }
      row.earliest = earliest++;
      log_.rows.push_back(row);
    }
    int latest = last.value_or(earliest - 1);
    for (std::size_t i = log_.rows.size(); i > placed; --i) log_.rows[i - 1].latest = latest--;
    stretch_.clear();
  }

  void note_ambiguous_rows() {
    for (const KerasRow& row : log_.rows) {
      if (row.earliest == row.latest) continue;
      note({row.line, ""}, fmt::format("may be any epoch from {} to {}; taken as {}", row.earliest,
                                       row.latest, row.earliest));
    }
  }

  void note(const Line& line, std::string text) {
    log_.notes.push_back({line.number, std::move(text)});
  }

  const std::string& name_;
  KerasLog log_;
  int heading_ = 0;  // the last one
  int heading_line_ = 0;
  int incomplete_line_ = 0;
  std::vector<KerasRow> stretch_;  // rows since then
};

}  // namespace

KerasLog read_keras_log(std::string_view text, const std::string& name) {
  Reader reader(name);
  for (const Line& line : split_lines(text)) reader.take(line);
  return std::move(reader).finish();
}

}  // namespace ranksweep::results
