#include "results/operating_points.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ranksweep::results {

std::vector<OperatingPoint> operating_points(const sweeps::Predictions& predictions,
                                             const std::vector<JudgedImage>& images, int positive) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  if (predictions.log_probabilities.size() != images.size() * classes) return {};
  // In single precision, as `predict` gives them, so that those which it cannot tell apart are one.
  std::vector<std::pair<float, bool>> scores;  // and whether the image is of the class
  scores.reserve(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const float logarithm =
        predictions.log_probabilities[i * classes + static_cast<std::size_t>(positive)];
    scores.emplace_back(static_cast<float>(std::exp(double{logarithm})),
                        images[i].label == positive);
  }
  std::ranges::sort(scores, std::greater());
  const auto of_class = std::ranges::count(scores, true, &std::pair<float, bool>::second);
  if (of_class == 0) return {};

  std::vector<OperatingPoint> points;
  int right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    right += scores[i].second ? 1 : 0;
    const double score = scores[i].first;
    const double next = i + 1 < scores.size() ? scores[i + 1].first : score;
    if (i + 1 < scores.size() && next == score) continue;
    points.push_back({.threshold = (score + next) / 2,
                      .taken = static_cast<int>(i) + 1,
                      .right = right,
                      .of_class = static_cast<int>(of_class)});
  }
  return points;
}

std::optional<OperatingPoint> find_point(const std::vector<OperatingPoint>& points,
                                         double precision) {
  std::optional<OperatingPoint> best;
  for (const OperatingPoint& point : points) {
    if (point.precision() < precision) continue;
    if (!best || point.right > best->right) best = point;
  }
  return best;
}

}  // namespace ranksweep::results
