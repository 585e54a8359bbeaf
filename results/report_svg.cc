#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "results/html.h"
#include "results/report.h"
#include "results/report_data.h"
#include "results/report_parallel.h"

namespace ranksweep::results {
namespace {

constexpr std::size_t kCurves = 5;
constexpr double kWidth = 1000, kHeight = 420;
constexpr double kLeft = 70, kRight = 10, kTop = 40, kBottom = 50;
constexpr double kLegend = 22;  // a line of it
constexpr std::array<const char*, kCurves> kColors = {"#1768ac", "#c8501e", "#1a8f6a", "#8a4fae",
                                                      "#b07a00"};

constexpr const char* kStyle = R"(
text { font: 13px "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1b2430; }
.title { font-size: 17px; font-weight: 600; }
.grid { stroke: #dfe4ea; }
.curve { fill: none; stroke-width: 2; }
.axis { stroke: #596575; stroke-width: 1.5; }
.name { font-weight: 600; text-anchor: middle; }
.first { text-anchor: start; }
.value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
.line { fill: none; stroke: #596575; stroke-width: 1.2; opacity: .35; }
.good { stroke: #1768ac; stroke-width: 1.8; opacity: .9; }
.best { stroke: #c8501e; stroke-width: 3.5; opacity: 1; }
)";

// Round numbers from `low` to `high`, about `count` of them.
std::vector<double> round_ticks(double low, double high, double count) {
  const double raw = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double step = raw / power < 1.5 ? power : raw / power < 3.5 ? 2 * power : 5 * power;
  std::vector<double> ticks;
  for (double tick = std::ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) {
    ticks.push_back(tick);
  }
  return ticks;
}

// Powers of ten in the range.
std::vector<double> decades(double low, double high) {
  std::vector<double> ticks;
  for (double power = std::ceil(std::log10(low)); power <= std::log10(high); ++power) {
    ticks.push_back(std::pow(10, power));
  }
  return ticks;
}

// Where an epoch and a loss lie in the figure.
class Frame {
 public:
  explicit Frame(const std::vector<Curve>& curves) {
    for (const Curve& curve : curves) {
      for (const sweeps::EpochMetrics& epoch : curve.epochs) {
        last_epoch_ = std::max(last_epoch_, epoch.epoch);
        if (!std::isfinite(epoch.val_loss)) continue;
        low_ = std::min(low_, epoch.val_loss);
        high_ = std::max(high_, epoch.val_loss);
      }
    }
    logarithmic_ = low_ > 0 && high_ > 30 * low_;
    if (!logarithmic_) low_ = std::min(low_, 0.0);
    if (high_ <= low_) high_ = low_ + 1;
  }

  double x(double epoch) const {
    return kLeft + (epoch - 1) / std::max(1, last_epoch_ - 1) * (kWidth - kLeft - kRight);
  }
  double y(double loss) const {
    const double fraction = logarithmic_ ? std::log(loss / low_) / std::log(high_ / low_)
                                         : (loss - low_) / (high_ - low_);
    return kHeight - kBottom - fraction * (kHeight - kTop - kBottom);
  }

  std::string grid() const {
    std::string svg;
    for (double loss : logarithmic_ ? decades(low_, high_) : round_ticks(low_, high_, 6)) {
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
          "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g}</text>\n",
          kLeft, kWidth - kRight, y(loss), y(loss), kLeft - 8, y(loss) + 4, loss);
    }
    for (double epoch : round_ticks(1, std::max(2, last_epoch_), 10)) {
      if (epoch != std::floor(epoch)) continue;
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:.0f}</text>\n",
                         x(epoch), kHeight - kBottom + 20, epoch);
    }
    return svg +
           fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">epoch</text>\n",
                       (kLeft + kWidth) / 2, kHeight - kBottom + 40);
  }

 private:
  int last_epoch_ = 1;
  double low_ = 1e300;
  double high_ = -1e300;
  bool logarithmic_ = false;
};

// A loss that is not finite is a gap.
std::string curve_path(const Curve& curve, const Frame& frame) {
  std::string path;
  bool drawing = false;
  for (const sweeps::EpochMetrics& epoch : curve.epochs) {
    if (std::isfinite(epoch.val_loss)) {
      path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", frame.x(epoch.epoch),
                          frame.y(epoch.val_loss));
    }
    drawing = std::isfinite(epoch.val_loss);
  }
  return path;
}

std::string curves_figure(const std::vector<Curve>& curves) {
  const Frame frame(curves);
  std::string svg = fmt::format(
      "<text class=\"title\" x=\"{:.0f}\" y=\"22\">Validation loss of the best trials</text>\n{}",
      kLeft, frame.grid());
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const RankedTrial& trial = *curves[i].trial;
    svg += fmt::format("<path class=\"curve\" stroke=\"{}\" d=\"{}\"/>\n", kColors[i],
                       curve_path(curves[i], frame));
    if (trial.best_epoch && trial.val_loss) {
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n",
                         frame.x(*trial.best_epoch), frame.y(*trial.val_loss), kColors[i]);
    }
    const double y = kHeight + kLegend * (static_cast<double>(i) + 0.5);
    svg += fmt::format(
        "<circle cx=\"{0:.0f}\" cy=\"{1:.0f}\" r=\"5\" fill=\"{2}\"/><text x=\"{3:.0f}\" "
        "y=\"{4:.0f}\">{5}: {6} at epoch {7}</text>\n",
        kLeft + 5, y - 4, kColors[i], kLeft + 20, y,
        html_text(trial.description.empty() ? trial.trial.short_hex() : trial.description, 80),
        trial.val_loss ? show_cell(*trial.val_loss, Show::loss) : "no loss",
        trial.best_epoch.value_or(0));
  }
  return svg;
}

}  // namespace

std::string report_svg(ResultsReader& reader) {
  const ReportData data = read_report_data(reader, kCurves);
  double height = 20;
  std::string svg;
  if (!data.curves.empty()) {
    svg += curves_figure(data.curves);
    height = kHeight + kLegend * static_cast<double>(data.curves.size()) + 20;
  }
  if (const ParallelDrawing parallel = draw_parallel(data); !parallel.svg.empty()) {
    svg += fmt::format("<g transform=\"translate(0 {:.0f})\">\n{}</g>\n", height, parallel.svg);
    height += parallel.height + 20;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\">\n<title>{2}</title>\n<style>{3}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{4}</svg>\n",
      kWidth, height, html_text(data.sweep.name), kStyle, svg);
}

}  // namespace ranksweep::results
