#pragma once

#include <map>
#include <string>
#include <string_view>

#include "results/table.h"

// Small pieces of HTML. What is passed as text is escaped here, what is called html is not.
namespace ranksweep::results {

// Text of a user on one line, cut after `width` columns.
std::string html_text(std::string_view text, std::size_t width = 160);

enum class Sorting { off, on };

struct HtmlTable {
  std::string id;
  std::string caption;  // text
  Sorting sorting = Sorting::off;
  std::size_t most_rows = 1000;  // the caption says when there are more
  std::size_t all_rows = 0;      // of which the table has the first; 0: it has them all
};

// A semantic table inside a box that scrolls. A column named "mark" or "outcome" gets its dot.
std::string html_table(const Table& table, const HtmlTable& options);

// `html` with each {{name}} replaced by its value, in which nothing is replaced any more. Throws
// std::out_of_range for a name without a value.
std::string fill_template(std::string_view html, const std::map<std::string, std::string>& values);

}  // namespace ranksweep::results
