#pragma once

#include <string>
#include <string_view>

// Text that came from a user, made safe for where it is shown.
namespace ranksweep::results {

// Valid UTF-8: every byte that is no part of it becomes U+FFFD.
std::string valid_utf8(std::string_view text);

// Columns that valid UTF-8 takes on a terminal.
std::size_t display_width(std::string_view text);

// `text` in at most `width` columns, with an ellipsis when it was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

// One line without control characters, which a terminal would obey.
std::string one_line(std::string_view text);

std::string escape_markdown(std::string_view text);
std::string escape_latex(std::string_view text);
std::string escape_html(std::string_view text);

// JSON that may stand inside an HTML script element: "</script>" and "<!--" cannot end it.
std::string escape_json_in_html(std::string_view json);

}  // namespace ranksweep::results
