#include "results/report_sections.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/html.h"
#include "results/report_mistakes.h"
#include "results/report_parallel.h"
#include "results/report_published.h"
#include "results/report_tables.h"
#include "results/tables.h"
#include "results/text.h"

namespace ranksweep::results {
namespace {

std::string paragraph(const std::string& text, const char* name = "hint") {
  return fmt::format("<p class=\"{}\">{}</p>\n", name, escape_html(text));
}

// `rows` is how many bars or categories the chart has one above the other.
std::string canvas(const std::string& id, const std::string& description, std::size_t rows = 0) {
  return fmt::format(
      "<div class=\"chart\"{}><canvas id=\"{}\" role=\"img\" aria-label=\"{}\"></canvas></div>\n",
      rows > 0 ? fmt::format(" data-rows=\"{}\"", rows) : "", id, escape_html(description));
}

std::string behind(const std::string& summary, const std::string& html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary, html);
}

ReportSection ranking_section(const ReportData& data) {
  return {
      "ranking", "Ranking",
      paragraph(
          "By the lowest validation loss of any epoch; on a tie the first such epoch, then "
          "accuracy, then the smaller network. Only finished trials that tell the classes "
          "apart have a rank. Intervals are at 95 %: of the loss by the bootstrap, of the accuracy "
          "Wilson's. \"Like best\": on the same images, a sign-flip test of the losses at 5 % "
          "cannot tell the trial from the first.") +
          html_table(data.rank_table, {"ranking-table", "Trials, best first.", Sorting::on,
                                       kMostRankedRows, data.ranking.size()})};
}

std::string curve_picks(const ReportData& data) {
  std::string html =
      "<fieldset><legend>Trials</legend>\n<div class=\"picks\" id=\"curve-picks\">\n";
  for (std::size_t i = 0; i < data.curves.size(); ++i) {
    const RankedTrial& trial = *data.curves[i].trial;
    html += fmt::format(
        "<label><input type=\"checkbox\" value=\"{}\" data-trial=\"{}\" "
        "autocomplete=\"off\"{}><span "
        "class=\"place\">{}</span><span><bdi>{}</bdi>{}</span></label>\n",
        i, trial.trial.short_hex(), i < kChosenCurves ? " checked" : "", trial.position,
        html_text(trial.description.empty() ? trial.trial.short_hex() : trial.description),
        trial.rank ? "" : fmt::format(", {}", name_of(trial.mark)));
  }
  return html + "</div>\n</fieldset>\n";
}

ReportSection curves_section(const ReportData& data) {
  const std::size_t longest =
      std::max_element(data.curves.begin(), data.curves.end(), [](const auto& a, const auto& b) {
        return a.epochs.size() < b.epochs.size();
      })->epochs.size();
  std::string hint = "Solid lines are validation, dashed ones training; the dot is the best epoch.";
  if (data.curves.size() == kMostCurves) {
    hint += fmt::format(" The best {} trials can be chosen.", kMostCurves);
  }
  if (longest > kMostCurvePoints) {
    hint += fmt::format(" Curves are thinned to about {} epochs.", kMostCurvePoints);
  }
  const std::string switches =
      "<div class=\"switches\"><label><input type=\"checkbox\" id=\"show-training\" "
      "autocomplete=\"off\" checked>Training curves</label><label><input type=\"checkbox\" "
      "id=\"log-loss\" autocomplete=\"off\">Logarithmic loss</label><label>Epochs from <input "
      "type=\"number\" id=\"epoch-from\" min=\"0\" autocomplete=\"off\"></label><label>to <input "
      "type=\"number\" id=\"epoch-to\" min=\"1\" autocomplete=\"off\"></label><span "
      "class=\"hint\">Or drag over a chart; a double click shows all.</span></div>\n";
  return {"curves", "Learning curves",
          paragraph(hint) + "<div class=\"curves\">\n" + curve_picks(data) + "<div>\n" + switches +
              canvas("loss-chart", "Loss by epoch of the chosen trials") +
              canvas("accuracy-chart", "Accuracy by epoch of the chosen trials") +
              "</div>\n</div>\n" +
              behind("Epochs of the chosen trials as a table",
                     html_table(curve_table(data.curves, kChosenCurves),
                                {"curve-table", "Epochs of the chosen trials."}))};
}

// Of the parameter's table, under its own heading.
Table without_first_column(Table table) {
  table.columns.erase(table.columns.begin());
  for (auto& row : table.rows) row.erase(row.begin());
  return table;
}

ReportSection effects_section(const ReportData& data) {
  std::string html = paragraph(
      "The validation loss that ranked trials with each value reached. Bars span the smallest to "
      "the "
      "largest, the dot is the mean.");
  std::size_t index = 0;
  for (auto first = data.effects.begin(); first != data.effects.end(); ++index) {
    const auto last = std::find_if(first, data.effects.end(), [&](const Effect& effect) {
      return effect.parameter != first->parameter;
    });
    const std::vector<Effect> effects(first, last);
    html += fmt::format(
        "<div class=\"split\"><div><h3><bdi>{}</bdi></h3>\n{}</div>\n{}</div>\n",
        html_text(first->parameter),
        canvas(fmt::format("effect-{}", index),
               fmt::format("Range and mean of the validation loss by {}", first->parameter),
               effects.size()),
        html_table(without_first_column(effect_table(effects)),
                   {fmt::format("effect-table-{}", index),
                    fmt::format("Validation loss by {}.", one_line(first->parameter))}));
    first = last;
  }
  return {"effects", "Effect of each parameter", html};
}

ReportSection training_section(const ReportData& data) {
  const auto full_wins = std::count_if(
      data.training_pairs.begin(), data.training_pairs.end(),
      [](const TrainingPair& pair) { return pair.full_val_loss < pair.frozen_val_loss; });
  const std::size_t shown = std::min(data.training_pairs.size(), kMostTrainingPairs);
  return {
      "training", "Frozen against full",
      paragraph(fmt::format("Pairs of ranked trials that differ only in whether the base was "
                            "retrained. Full training reached the lower loss in {} of {}.{}",
                            full_wins, data.training_pairs.size(),
                            shown < data.training_pairs.size()
                                ? fmt::format(" The chart shows the best {}.", shown)
                                : "")) +
          canvas("training-chart", "Validation loss of each pair, frozen and full", shown) +
          behind("Pairs as a table",
                 html_table(training_table(data.training_pairs),
                            {"training-table", "Validation loss, frozen and full.", Sorting::on}))};
}

ReportSection study_section(const ReportData& data) {
  return {"study", "As the study tabulates it",
          paragraph("Collapsed and unfinished trials included, in the order of the ranking.") +
              html_table(study_table(data.ranking),
                         {"study-table", "Each trial at its epoch of minimum validation loss.",
                          Sorting::off, 100})};
}

ReportSection published_section(const ReportData& data) {
  return {"published", "Published beside reproduced",
          paragraph(published_summary(data)) +
              html_table(published_table(data),
                         {"published-table", "Published figures and those of this database."})};
}

ReportSection time_section(const ReportData& data) {
  const std::size_t ranks = data.device_use.rows.size();
  std::string hint = "Each bar is one attempt at a trial.";
  if (const std::size_t step = data.bars.size() / kMostBars + 1; step > 1) {
    hint += fmt::format(" Of {} attempts, one in {} is drawn.", data.bars.size(), step);
  }
  return {"time", "Time and devices",
          paragraph(hint) +
              canvas("gantt-chart", "When each rank worked on which attempt, by outcome", ranks) +
              html_table(data.device_use, {"device-table", "What each rank did.", Sorting::on}) +
              html_table(data.device_idle, {"idle-table", "Why devices trained nothing."}) +
              behind("Attempts as a table",
                     html_table(attempt_table(data.attempts),
                                {"attempt-table", "Attempts in their order.", Sorting::on, 500}))};
}

// What the trainers of attempts that went wrong said last.
std::string last_words(const std::vector<Attempt>& attempts) {
  constexpr std::size_t kMostAttempts = 100;
  constexpr std::size_t kMostBytes = 4000;  // of each, from the end
  std::string html;
  std::size_t shown = 0;
  for (const Attempt& attempt : attempts) {
    if (!went_wrong(attempt) || attempt.stderr_tail.empty()) continue;
    if (++shown > kMostAttempts) break;
    const std::string& tail = attempt.stderr_tail;
    const std::string last = tail.substr(tail.size() - std::min(tail.size(), kMostBytes));
    html += behind(fmt::format("Last lines of attempt {}, <bdi>{}</bdi>", attempt.id,
                               html_text(attempt.description)),
                   "<pre tabindex=\"0\">" + escape_html(valid_utf8(last)) + "</pre>\n");
  }
  return html;
}

ReportSection failures_section(const ReportData& data) {
  return {"failures", "What went wrong",
          paragraph("Attempts that failed, were lost or diverged. A trial that was tried again and "
                    "finished is in the ranking like any other.") +
              html_table(failure_table(data.attempts),
                         {"failure-table", "Attempts that did not end well.", Sorting::on, 300}) +
              last_words(data.attempts)};
}

ReportSection provenance_section(const ReportData& data) {
  const SweepInfo& sweep = data.sweep;
  std::string html = "<dl class=\"facts\">\n";
  const auto add = [&](const std::string& name, const std::string& value) {
    html +=
        fmt::format("<dt>{}</dt><dd><bdi>{}</bdi></dd>\n", html_text(name), html_text(value, 1000));
  };
  add("Fingerprint", sweep.data_fingerprint);
  if (!sweep.data_path.empty()) {
    add("Data", sweep.data_path);
    add("Images", fmt::format("{} to train on, {} to validate on, {} to test on",
                              sweep.train_images, sweep.val_images, sweep.test_images));
    add("Classes", fmt::format("{}", fmt::join(sweep.classes, ", ")));
  }
  add("Planned", sweep.created_at);
  if (!data.invocations.empty()) {
    const Invocation& last = data.invocations.back();
    if (data.invocations.size() > 1) {
      add("Run", fmt::format("{} times, last {}", data.invocations.size(), last.begun_at));
    }
    add("Command", last.command_line);
    add("Host", last.host);
    for (const auto& [name, value] : last.environment) add(name, value);
  }
  html += "</dl>\n<h3>Sweep file</h3>\n<pre tabindex=\"0\"><code>";
  html += escape_html(valid_utf8(sweep.source));
  return {"provenance", "Where it came from", html + "</code></pre>\n"};
}

}  // namespace

std::vector<ReportSection> report_sections(const ReportData& data, const ReportOptions& options) {
  std::vector<ReportSection> sections = {ranking_section(data)};
  if (!data.judgements.empty()) sections.push_back(mistakes_section(data, options));
  if (!data.curves.empty()) sections.push_back(curves_section(data));
  if (auto parallel = parallel_section(data); !parallel.html.empty()) {
    sections.push_back(std::move(parallel));
  }
  if (!data.effects.empty()) sections.push_back(effects_section(data));
  if (!data.training_pairs.empty()) sections.push_back(training_section(data));
  sections.push_back(study_section(data));
  if (!data.published.empty()) sections.push_back(published_section(data));
  const bool has_time = std::any_of(data.bars.begin(), data.bars.end(),
                                    [](const Bar& bar) { return bar.end > bar.begin; });
  if (has_time) sections.push_back(time_section(data));  // imported trials have none
  if (!failure_table(data.attempts).rows.empty()) sections.push_back(failures_section(data));
  sections.push_back(provenance_section(data));
  return sections;
}

}  // namespace ranksweep::results
