#include <algorithm>

#include <fmt/format.h>

#include "results/report.h"
#include "results/report_data.h"
#include "results/report_published.h"
#include "results/report_sections.h"
#include "results/report_tables.h"
#include "results/tables.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

constexpr std::size_t kMostRows = 100;  // of a table

// `all_rows`: of which the table has the first; 0: it has them all.
std::string section(const std::string& title, Table table, std::size_t all_rows = 0) {
  if (table.rows.empty()) return "";
  const std::size_t rows = std::max(table.rows.size(), all_rows);
  std::string more;
  if (rows > kMostRows) {
    table.rows.resize(kMostRows);
    more = fmt::format("\nThe first {} of {} rows.\n", kMostRows, rows);
  }
  return fmt::format("\n## {}\n\n{}{}", title, render(table, TableFormat::markdown), more);
}

// A fence that no line of `text` can close.
std::string code_block(const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != std::string::npos) fence += '`';
  return fmt::format("{}yaml\n{}{}{}\n", fence, text, text.ends_with('\n') ? "" : "\n", fence);
}

}  // namespace

std::string report_markdown(ResultsReader& reader, const ReportOptions& options) {
  const ReportData data = read_report_data(reader, 0, options.published);
  std::string text =
      fmt::format("# {}\n\n", escape_markdown(one_line(valid_utf8(data.sweep.name))));
  const Headline sentences = headline(data);
  for (const std::string& sentence : {sentences.winner, sentences.certainty, sentences.endings,
                                      sentences.warning, sentences.caution}) {
    if (!sentence.empty()) text += escape_markdown(one_line(valid_utf8(sentence))) + "\n";
  }
  text += section("Ranking", data.rank_table, data.ranking.size());
  if (!data.judgements.empty()) {
    const JudgedTrial& best = data.judgements.front();
    text += section("What the best trial takes for what",
                    confusion_table(best.validation, data.sweep.classes));
    text += section("What it gets wrong",
                    mistake_table(best.validation, data.sweep.classes, kMostMistakes));
  }
  text += section("Effect of each parameter", effect_table(data.effects));
  text += section("Frozen against full", training_table(data.training_pairs));
  text += section("As the study tabulates it", study_table(data.ranking));
  text += section("Published beside reproduced", published_table(data));
  text += section("Time and devices", data.device_use);
  text += section("Why devices trained nothing", data.device_idle);
  text += section("What went wrong", failure_table(data.attempts));
  text += section("Where it came from", provenance_table(data.sweep, data.invocations));
  return text + "\n" + code_block(valid_utf8(data.sweep.source));
}

}  // namespace ranksweep::results
