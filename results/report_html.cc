#include <algorithm>

#include <fmt/format.h>

#include "results/embedded_files.h"
#include "results/html.h"
#include "results/report.h"
#include "results/report_data.h"
#include "results/report_sections.h"
#include "results/tables.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

// A number keeps its percent sign on its line.
std::string html_sentence(const std::string& text) {
  std::string html = escape_html(text);
  for (std::size_t at = 0; (at = html.find(" %", at)) != std::string::npos;) {
    html.replace(at, 1, "&nbsp;");
  }
  return html;
}

std::string figure(const std::string& name, const std::string& value, const std::string& below) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd><dd class=\"sub\">{}</dd></div>\n", name,
                     html_sentence(value), html_sentence(below));
}

// How long the sweep took, as people wait: from the first begin of an attempt to the last end.
double elapsed(const ReportData& data) {
  double end = 0;
  for (const Bar& bar : data.bars) end = std::max(end, bar.end);
  return end;
}

std::string key_figures(const ReportData& data) {
  std::string html = "<dl class=\"figures\">\n";
  const auto ranked =
      std::count_if(data.ranking.begin(), data.ranking.end(),
                    [](const RankedTrial& trial) { return trial.rank.has_value(); });
  if (ranked > 0) {
    const RankedTrial& best = data.ranking[0];
    html += figure(
        "Lowest validation loss", show_cell(*best.val_loss, Show::loss),
        best.val_loss_interval
            ? fmt::format("epoch {} of {}; {} to {} at 95 %", *best.best_epoch, best.epochs_done,
                          show_cell(best.val_loss_interval->low, Show::loss),
                          show_cell(best.val_loss_interval->high, Show::loss))
            : fmt::format("epoch {} of {}", *best.best_epoch, best.epochs_done));
    if (const auto interval = accuracy_interval(best)) {
      html += figure(
          "Its accuracy", show_cell(*best.val_accuracy, Show::percent),
          fmt::format("{:.1f} to {:.1f} % at 95 %", interval->low * 100, interval->high * 100));
    }
  }
  if (ranked > 0 && data.ranking[0].test_accuracy) {
    const RankedTrial& best = data.ranking[0];
    html +=
        figure("Its accuracy on test images", show_cell(*best.test_accuracy, Show::percent),
               fmt::format("{} images, loss {}", best.test_images,
                           best.test_loss ? show_cell(*best.test_loss, Show::loss) : "infinite"));
  }
  html += figure("Ranked trials", fmt::format("{} of {}", ranked, data.ranking.size()),
                 "finished, and honest");
  double trained = 0;
  for (const RankedTrial& trial : data.ranking) trained += trial.seconds;
  html += figure("Time", show_cell(elapsed(data), Show::duration),
                 fmt::format("{} of training", show_cell(trained, Show::duration)));
  return html + "</dl>\n";
}

// A bar as wide as the page, cut in the proportion of the marks, and its legend.
std::string endings(const std::vector<RankedTrial>& ranking) {
  if (ranking.empty()) return "";
  const Table counts = status_table(ranking);
  std::string bars;
  std::string legend;
  double x = 0;
  for (const auto& row : counts.rows) {
    const auto& mark = std::get<std::string>(row[0]);
    const auto count = std::get<std::int64_t>(row[1]);
    const double width = 100.0 * static_cast<double>(count) / static_cast<double>(ranking.size());
    bars += fmt::format("<rect class=\"{}\" x=\"{:.3f}%\" width=\"{:.3f}%\" height=\"10\"/>", mark,
                        x, width);
    legend += fmt::format("<li class=\"key {}\">{} {}</li>", mark, count, mark);
    x += width;
  }
  return fmt::format(
      "<div class=\"endings\"><svg aria-hidden=\"true\" height=\"10\">{}</svg>\n"
      "<ul aria-label=\"How the trials stand\">{}</ul></div>\n",
      bars, legend);
}

std::string notes(const Headline& headline) {
  std::string items;
  for (const std::string& sentence : {headline.certainty, headline.warning, headline.caution}) {
    if (!sentence.empty()) items += fmt::format("<li>{}</li>\n", html_sentence(sentence));
  }
  return items.empty() ? "" : "<ul class=\"notes\">\n" + items + "</ul>\n";
}

std::string quoted_hash(std::string_view base64) { return fmt::format("'sha256-{}'", base64); }

}  // namespace

std::string report_html(ResultsReader& reader, const ReportOptions& options) {
  const ReportData data = read_report_data(reader, kMostCurves, options.published);
  const Headline sentences = headline(data);
  std::string sections;
  std::string navigation;
  for (const ReportSection& section : report_sections(data, options)) {
    sections += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}</h2>\n{2}"
        "</section>\n",
        section.id, section.title, section.html);
    navigation += fmt::format("<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
  }
  const std::string name = html_text(data.sweep.name);
  return fill_template(
      kReportHtml,
      {{"title", name + " · ranksweep report"},
       {"script_hashes", quoted_hash(kChartJsSha256) + " " + quoted_hash(kReportJsSha256) +
                             (options.live ? " " + quoted_hash(kLiveJsSha256) : "")},
       {"connections", options.live ? "; connect-src 'self'" : ""},
       {"style_hash", quoted_hash(kReportCssSha256)},
       {"css", std::string(kReportCss)},
       {"sweep_name", name},
       {"headline", fmt::format("<p class=\"lead\">{}</p>", html_text(sentences.winner, 400))},
       {"key_figures", key_figures(data)},
       {"endings", endings(data.ranking)},
       {"notes", notes(sentences)},
       {"navigation", navigation},
       {"sections", sections},
       {"footer", fmt::format("Planned {}. The same database gives this page again, byte for byte: "
                              "<code>ranksweep report</code>.",
                              html_text(data.sweep.created_at))},
       {"data", escape_json_in_html(report_chart_data(data))},
       {"chart_js", std::string(kChartJs)},
       {"report_js", std::string(kReportJs)},
       {"live_script", options.live ? fmt::format("<script>{}</script>\n", kLiveJs) : ""}});
}

}  // namespace ranksweep::results
