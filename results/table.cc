#include "results/table.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/text.h"

namespace ranksweep::results {
namespace {

constexpr std::size_t kWidestCell = 60;  // columns of a terminal

std::string show_loss(double loss) {
  if (loss != 0 && std::abs(loss) < 1e-3) return fmt::format("{:.3e}", loss);
  return fmt::format("{:.4f}", loss);
}

std::string show_duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const std::int64_t minutes = (whole + 30) / 60;
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string show_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, " ");
  return digits;
}

std::string show_number(double number, Show show) {
  if (!std::isfinite(number)) return fmt::format("{}", number);
  switch (show) {
    case Show::loss:
      return show_loss(number);
    case Show::percent:
      return fmt::format("{:.2f} %", number * 100);
    case Show::duration:
      return show_duration(number);
    case Show::count:
      return show_count(std::llround(number));
    case Show::plain:
    case Show::identity:
      break;
  }
  return fmt::format("{}", number);
}

bool is_number(const Cell& cell) {
  return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

// Numbers stand on the right, so that their digits line up.
bool is_numeric(const Table& table, std::size_t column) {
  return std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return is_number(row[column]) || std::holds_alternative<std::monostate>(row[column]);
  });
}

std::string render_text(const Table& table) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : table.columns) lines[0].push_back(one_line(column.heading));
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.push_back(cut_to_width(one_line(show_cell(row[i], table.columns[i].show)), kWidestCell));
    }
  }
  std::vector<std::string> texts(lines.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::size_t width = 0;
    for (const auto& line : lines) width = std::max(width, display_width(line[i]));
    const bool right = is_numeric(table, i);
    for (std::size_t row = 0; row < lines.size(); ++row) {
      const std::string padding(width - display_width(lines[row][i]), ' ');
      if (i > 0) texts[row] += "  ";
      texts[row] += right ? padding + lines[row][i] : lines[row][i] + padding;
    }
  }
  std::string result;
  for (std::string& text : texts) {
    text.erase(text.find_last_not_of(' ') + 1);
    result += text + "\n";
  }
  return result;
}

std::string render_markdown(const Table& table) {
  std::string heading = "|";
  std::string rule = "|";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    heading += " " + escape_markdown(one_line(table.columns[i].heading)) + " |";
    rule += is_numeric(table, i) ? " ---: |" : " --- |";
  }
  std::string result = heading + "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    result += '|';
    for (std::size_t i = 0; i < row.size(); ++i) {
      result += " " + escape_markdown(one_line(show_cell(row[i], table.columns[i].show))) + " |";
    }
    result += '\n';
  }
  return result;
}

// A tabular of the booktabs package.
std::string render_latex(const Table& table) {
  std::string alignment;
  std::string rows;
  const auto add_row = [&](const auto& text_of) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      rows += (i > 0 ? " & " : "  ") + escape_latex(one_line(text_of(i)));
    }
    rows += " \\\\\n";
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    alignment += is_numeric(table, i) ? 'r' : 'l';
  }
  add_row([&](std::size_t i) { return table.columns[i].heading; });
  rows += "  \\midrule\n";
  for (const auto& row : table.rows) {
    add_row([&](std::size_t i) { return show_cell(row[i], table.columns[i].show); });
  }
  return fmt::format("\\begin{{tabular}}{{{}}}\n  \\toprule\n{}  \\bottomrule\n\\end{{tabular}}\n",
                     alignment, rows);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (char c : text) field.append(c == '"' ? 2 : 1, c);
  return field + "\"";
}

std::string render_csv(const Table& table) {
  std::string result;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    result += (i > 0 ? "," : "") + csv_field(table.columns[i].name);
  }
  result += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      result += (i > 0 ? "," : "") + csv_field(show_cell(row[i], Show::plain));
    }
    result += "\r\n";
  }
  return result;
}

std::string render_json(const Table& table) {
  using nlohmann::ordered_json;
  ordered_json rows = ordered_json::array();
  for (const auto& row : table.rows) {
    ordered_json object = ordered_json::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      ordered_json& value = object[valid_utf8(table.columns[i].name)];
      std::visit(
          [&](const auto& content) {
            if constexpr (!std::is_same_v<decltype(content), const std::monostate&>) {
              value = content;
            }
          },
          row[i]);
      if (value.is_string()) value = valid_utf8(value.get<std::string>());
    }
    rows.push_back(std::move(object));
  }
  return rows.dump(2) + "\n";
}

}  // namespace

TableFormat table_format_from(const std::string& name) {
  if (name == "table" || name == "text") return TableFormat::text;
  if (name == "markdown") return TableFormat::markdown;
  if (name == "latex") return TableFormat::latex;
  if (name == "csv") return TableFormat::csv;
  if (name == "json") return TableFormat::json;
  throw std::invalid_argument(
      fmt::format("'{}' is no format of a table: table, markdown, latex, csv and json are", name));
}

std::string show_cell(const Cell& cell, Show show) {
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return valid_utf8(show == Show::identity ? text->substr(0, 8) : *text);
  }
  if (const auto* number = std::get_if<double>(&cell)) return show_number(*number, show);
  if (const auto* count = std::get_if<std::int64_t>(&cell)) {
    if (show == Show::plain) return std::to_string(*count);
    if (show == Show::count) return show_count(*count);
    return show_number(static_cast<double>(*count), show);
  }
  return "";
}

std::string render(const Table& table, TableFormat format) {
  switch (format) {
    case TableFormat::markdown:
      return render_markdown(table);
    case TableFormat::latex:
      return render_latex(table);
    case TableFormat::csv:
      return render_csv(table);
    case TableFormat::json:
      return render_json(table);
    case TableFormat::text:
      break;
  }
  return render_text(table);
}

}  // namespace ranksweep::results
