#include "results/ranking.h"

#include <algorithm>
#include <cmath>

namespace ranksweep::results {

const char* name_of(Mark mark) {
  switch (mark) {
    case Mark::finished:
      return "finished";
    case Mark::collapsed:
      return "collapsed";
    case Mark::diverged:
      return "diverged";
    case Mark::failed:
      return "failed";
    case Mark::running:
      return "running";
    case Mark::pending:
      break;
  }
  return "pending";
}

namespace {

std::optional<Interval> interval_of(const std::optional<double>& accuracy, int images) {
  if (!accuracy || images <= 0) return std::nullopt;
  const auto correct = static_cast<int>(std::lround(*accuracy * images));
  return wilson_interval(std::clamp(correct, 0, images), images);
}

}  // namespace

Interval wilson_interval(int correct, int images) {
  constexpr double z = 1.959963984540054;  // the 97.5 % point of the normal distribution
  const double n = images;
  const double p = correct / n;
  const double center = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

std::optional<Interval> accuracy_interval(const RankedTrial& trial) {
  return interval_of(trial.val_accuracy, trial.val_images);
}

std::optional<Interval> test_accuracy_interval(const RankedTrial& trial) {
  return interval_of(trial.test_accuracy, trial.test_images);
}

}  // namespace ranksweep::results
