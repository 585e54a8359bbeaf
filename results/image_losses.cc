#include "results/image_losses.h"

namespace ranksweep::results {

std::vector<double> image_losses(const sweeps::Predictions& predictions,
                                 const std::vector<int>& labels) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  if (predictions.log_probabilities.size() != labels.size() * classes) return {};
  std::vector<double> losses;
  losses.reserve(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= predictions.classes) return {};
    losses.push_back(
        -predictions.log_probabilities[i * classes + static_cast<std::size_t>(labels[i])]);
  }
  return losses;
}

}  // namespace ranksweep::results
