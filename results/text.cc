#include "results/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <wchar.h>

namespace ranksweep::results {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;
};

// The character at the front of `text`, or none when no valid one is there (RFC 3629: no overlong
// form, no surrogate, nothing above U+10FFFF).
std::optional<Character> front_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return Character{first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return std::nullopt;
  char32_t code = first & (0xff >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    return std::nullopt;
  }
  return Character{code, bytes};
}

// Most texts: each character is a byte and takes a column, and nothing needs to be replaced.
bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// The C library's table of widths needs a UTF-8 locale. It is read from a file, so once for all.
class Utf8Locale {
 public:
  Utf8Locale() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (locale != nullptr) before_ = uselocale(locale);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (before_ != nullptr) uselocale(before_);
  }

 private:
  locale_t before_ = nullptr;
};

std::size_t width_of(char32_t code) {
  const int width = wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

// The longest front of `text` that fits into `width` columns: its bytes and its columns.
struct Fit {
  std::size_t bytes = 0;
  std::size_t columns = 0;
};
Fit fit(std::string_view text, std::size_t width) {
  if (is_printable_ascii(text)) {
    const std::size_t bytes = std::min(text.size(), width);
    return {bytes, bytes};
  }
  const Utf8Locale locale;
  Fit fitting;
  while (fitting.bytes < text.size()) {
    const auto character = front_of(text.substr(fitting.bytes)).value_or(Character{'?', 1});
    const std::size_t columns = width_of(character.code);
    if (fitting.columns + columns > width) break;
    fitting.columns += columns;
    fitting.bytes += character.bytes;
  }
  return fitting;
}

// `text` with each character for which `replacement_of` has one replaced.
template <typename Function>
std::string replace_each(std::string_view text, Function replacement_of) {
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    if (const char* replacement = replacement_of(c)) {
      result += replacement;
    } else {
      result += c;
    }
  }
  return result;
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  if (is_printable_ascii(text)) return std::string(text);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto character = front_of(text);
    result += character ? text.substr(0, character->bytes) : kReplacement;
    text.remove_prefix(character ? character->bytes : 1);
  }
  return result;
}

std::size_t display_width(std::string_view text) { return fit(text, SIZE_MAX).columns; }

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (fit(text, width).bytes == text.size()) return std::string(text);
  return std::string(text.substr(0, fit(text, width - 1).bytes)) + "…";
}

std::string one_line(std::string_view text) {
  if (is_printable_ascii(text)) return std::string(text);
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto character = front_of(text.substr(i)).value_or(Character{0xfffd, 1});
    const char32_t code = character.code;
    // C0 and C1 controls, line separators, and the marks that turn the direction of writing.
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
                         code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
                         (code >= 0x2066 && code <= 0x2069);
    result += control ? " " : text.substr(i, character.bytes);
    i += character.bytes;
  }
  return result;
}

std::string escape_markdown(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool inside_word =
        i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '&') {
      result += "&amp;";
    } else if (std::string_view("\\`*[]|~$").find(c) != std::string_view::npos ||
               (c == '_' && !inside_word)) {
      result += '\\';
      result += c;
    } else {
      result += c;
    }
  }
  return result;
}

std::string escape_latex(std::string_view text) {
  return replace_each(text, [](char c) -> const char* {
    switch (c) {
      case '\\':
        return "\\textbackslash{}";
      case '~':
        return "\\textasciitilde{}";
      case '^':
        return "\\textasciicircum{}";
      case '<':
        return "\\textless{}";
      case '>':
        return "\\textgreater{}";
      case '{':
        return "\\{";
      case '}':
        return "\\}";
      case '#':
        return "\\#";
      case '$':
        return "\\$";
      case '%':
        return "\\%";
      case '&':
        return "\\&";
      case '_':
        return "\\_";
      default:
        return nullptr;
    }
  });
}

std::string escape_html(std::string_view text) {
  return replace_each(text, [](char c) -> const char* {
    switch (c) {
      case '&':
        return "&amp;";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '"':
        return "&quot;";
      case '\'':
        return "&#39;";
      default:
        return nullptr;
    }
  });
}

std::string escape_json_in_html(std::string_view json) {
  return replace_each(json, [](char c) { return c == '<' ? "\\u003c" : nullptr; });
}

}  // namespace ranksweep::results
