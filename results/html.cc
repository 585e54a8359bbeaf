#include "results/html.h"

#include <algorithm>

#include <fmt/format.h>

#include "results/text.h"

namespace ranksweep::results {
namespace {

bool has_text(const Table& table, std::size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return std::holds_alternative<std::string>(row[column]);
  });
}

// Durations and counts are shown in a form that a script cannot sort by.
bool needs_sort_key(Show show) { return show == Show::duration || show == Show::count; }

std::string html_cell(const Cell& cell, const Column& column) {
  const std::string text = html_text(show_cell(cell, column.show));
  if (const auto* value = std::get_if<std::string>(&cell)) {
    if (column.name == "mark" || column.name == "outcome") {
      return fmt::format("<td><span class=\"mark {}\">{}</span></td>", escape_html(*value), text);
    }
    if (column.show == Show::identity) return fmt::format("<td class=\"id\">{}</td>", text);
    return fmt::format("<td{}>{}</td>", value->size() > 40 ? " class=\"wide\"" : "", text);
  }
  if (needs_sort_key(column.show) && !text.empty()) {
    return fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>", show_cell(cell, Show::plain), text);
  }
  return fmt::format("<td class=\"n\">{}</td>", text);
}

}  // namespace

std::string html_text(std::string_view text, std::size_t width) {
  return escape_html(cut_to_width(one_line(valid_utf8(text)), width));
}

std::string html_table(const Table& table, const HtmlTable& options) {
  const std::size_t rows = std::min(table.rows.size(), options.most_rows);
  const std::size_t all_rows = std::max(table.rows.size(), options.all_rows);
  std::string caption = options.caption;
  if (rows < all_rows) {
    caption += fmt::format(" The first {} of {} rows; the database has them all.", rows, all_rows);
  }
  std::string html = fmt::format(
      "<div class=\"scroll{}\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n<table "
      "id=\"{}\"{}>\n"
      "<caption>{}</caption>\n<thead><tr>",
      rows > 30 ? " tall" : "", escape_html(options.caption), options.id,
      options.sorting == Sorting::on ? " class=\"sortable\"" : "", escape_html(caption));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    html += fmt::format("<th scope=\"col\"{}>{}</th>", has_text(table, i) ? "" : " class=\"n\"",
                        html_text(table.columns[i].heading));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < rows; ++row) {
    html += "<tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      html += html_cell(table.rows[row][i], table.columns[i]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string fill_template(std::string_view html, const std::map<std::string, std::string>& values) {
  std::string filled;
  for (;;) {
    const std::size_t begin = html.find("{{");
    filled += html.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const std::size_t end = html.find("}}", begin);
    filled += values.at(std::string(html.substr(begin + 2, end - begin - 2)));
    html.remove_prefix(end + 2);
  }
}

}  // namespace ranksweep::results
