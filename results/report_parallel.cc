#include "results/report_parallel.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "results/html.h"

namespace ranksweep::results {
namespace {

constexpr std::size_t kMostLines = 400;
constexpr std::size_t kMostLabels = 12;  // of an axis
constexpr double kWidth = 1000, kHeight = 380;
constexpr double kLeft = 8, kRight = 110, kTop = 40, kBottom = 16;
constexpr double kFan = 14;  // how far lines through one value lie apart

std::size_t column_of(const Table& table, const std::string& name) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return static_cast<std::size_t>(found - table.columns.begin());
}

double at_fraction(double fraction) {  // 0 is the bottom
  return kHeight - kBottom - fraction * (kHeight - kTop - kBottom);
}

// The values of one swept parameter from bottom to top, evenly spaced.
class ValueAxis {
 public:
  ValueAxis(const Table& trials, std::size_t column) : column_(column) {
    const std::set<Cell> values = [&] {
      std::set<Cell> all;
      for (const auto& row : trials.rows) all.insert(row[column]);
      return all;
    }();
    values_.assign(values.begin(), values.end());
  }

  double y(const std::vector<Cell>& row) const {
    const auto place = std::lower_bound(values_.begin(), values_.end(), row[column_]);
    return y(static_cast<std::size_t>(place - values_.begin()));
  }

  std::string labels(double x) const {
    std::string svg;
    const std::size_t step = (values_.size() + kMostLabels - 1) / kMostLabels;
    for (std::size_t i = 0; i < values_.size(); i += step) {
      const std::string text = show_cell(values_[i], Show::plain);
      svg += fmt::format("<text class=\"value\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>", x + 6,
                         y(i) + 4, text.empty() ? "none" : html_text(text, 20));
    }
    return svg;
  }

 private:
  double y(std::size_t place) const {
    const double count = static_cast<double>(values_.size());
    return at_fraction((static_cast<double>(place) + 0.5) / count);
  }

  std::size_t column_;
  std::vector<Cell> values_;
};

// The validation loss, the lowest on top; logarithmic when it spans more than a decade.
class LossAxis {
 public:
  LossAxis(double low, double high)
      : low_(low), high_(high), logarithmic_(low > 0 && high > 10 * low) {}

  double y(double loss) const {
    if (high_ == low_) return at_fraction(0.5);
    const double fraction = logarithmic_ ? std::log(loss / low_) / std::log(high_ / low_)
                                         : (loss - low_) / (high_ - low_);
    return at_fraction(1 - fraction);
  }

  std::string labels(double x) const {
    std::string svg;
    for (double part : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const double loss =
          logarithmic_ ? low_ * std::pow(high_ / low_, part) : low_ + (high_ - low_) * part;
      svg += fmt::format("<text class=\"value\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>", x + 6,
                         y(loss) + 4, show_cell(loss, Show::loss));
    }
    return svg;
  }

 private:
  double low_;
  double high_;
  bool logarithmic_;
};

// The ranked rows of the ranking, as many as are drawn: the best.
Table drawn_trials(const ReportData& data) {
  Table trials{data.rank_table.columns, {}};
  const std::size_t rank = column_of(trials, "rank");
  for (const auto& row : data.rank_table.rows) {
    if (trials.rows.size() == kMostLines) break;
    if (!std::holds_alternative<std::monostate>(row[rank])) trials.rows.push_back(row);
  }
  return trials;
}

std::string axis_line(double x, const std::string& name) {
  return fmt::format(
      "<line class=\"axis\" x1=\"{0:.0f}\" x2=\"{0:.0f}\" y1=\"{1:.0f}\" y2=\"{2:.0f}\"/>"
      "<text class=\"name{4}\" x=\"{0:.0f}\" y=\"20\">{3}</text>",
      x, kTop, kHeight - kBottom, html_text(name, 24), x == kLeft ? " first" : "");
}

// A curve that leaves and reaches each axis level, so that lines can be followed through a value.
std::string line_through(const std::vector<std::pair<double, double>>& points) {
  std::string path = fmt::format("M{:.1f} {:.1f}", points[0].first, points[0].second);
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto [x0, y0] = points[i - 1];
    const auto [x1, y1] = points[i];
    const double middle = (x0 + x1) / 2;
    path += fmt::format("C{0:.1f} {1:.1f} {0:.1f} {2:.1f} {3:.1f} {2:.1f}", middle, y0, y1, x1);
  }
  return path;
}

const char* class_of_line(std::size_t index, std::size_t count) {
  if (index == 0) return "line best";
  return index * 5 < count ? "line good" : "line";
}

}  // namespace

ParallelDrawing draw_parallel(const ReportData& data) {
  const Table trials = drawn_trials(data);
  if (data.sweep.swept.size() < 2 || trials.rows.size() < 2) return {};
  const std::size_t loss_column = column_of(trials, "val_loss");
  const auto loss_of = [&](const std::vector<Cell>& row) {
    return std::get<double>(row[loss_column]);
  };
  std::vector<ValueAxis> axes;
  for (const std::string& name : data.sweep.swept)
    axes.emplace_back(trials, column_of(trials, name));
  const LossAxis losses(loss_of(trials.rows.front()), loss_of(trials.rows.back()));
  const double step = (kWidth - kLeft - kRight) / static_cast<double>(axes.size());
  const auto x_of = [&](std::size_t axis) { return kLeft + step * static_cast<double>(axis); };

  std::string lines;
  for (std::size_t i = trials.rows.size(); i-- > 0;) {  // the best on top of all
    const auto& row = trials.rows[i];
    const double fan =
        kFan * (static_cast<double>(i) / static_cast<double>(trials.rows.size() - 1) - 0.5);
    std::vector<std::pair<double, double>> points;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      points.emplace_back(x_of(axis), axes[axis].y(row) + fan);
    }
    points.emplace_back(x_of(axes.size()), losses.y(loss_of(row)));
    lines += fmt::format("<path class=\"{}\" d=\"{}\"><title>{}: {}</title></path>\n",
                         class_of_line(i, trials.rows.size()), line_through(points), i + 1,
                         show_cell(row[loss_column], Show::loss));
  }
  std::string frame;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    frame += axis_line(x_of(axis), data.sweep.swept[axis]) + axes[axis].labels(x_of(axis)) + "\n";
  }
  frame += axis_line(x_of(axes.size()), "validation loss") + losses.labels(x_of(axes.size()));
  return {lines + frame + "\n", kWidth, kHeight};
}

ReportSection parallel_section(const ReportData& data) {
  ReportSection section{"parallel", "Parameters side by side", ""};
  const ParallelDrawing drawing = draw_parallel(data);
  if (drawing.svg.empty()) return section;
  const auto ranked =
      std::count_if(data.ranking.begin(), data.ranking.end(),
                    [](const RankedTrial& trial) { return trial.rank.has_value(); });
  const std::string cut = static_cast<std::size_t>(ranked) > kMostLines
                              ? fmt::format(" The best {} are drawn.", kMostLines)
                              : "";
  section.html = fmt::format(
      "<p class=\"hint\">A line for each ranked trial, from parameter to parameter to its lowest "
      "validation loss, the best at the top. The best trial is drawn bold, the best fifth in "
      "colour.{} <a href=\"#ranking\">The ranking</a> has the same as a table.</p>\n"
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Parameters side by "
      "side\">\n<svg class=\"parallel\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
      "aria-label=\"A line for each ranked trial, over its parameters and its validation loss\">\n"
      "{}</svg>\n</div>\n",
      cut, drawing.width, drawing.height, drawing.svg);
  return section;
}

}  // namespace ranksweep::results
