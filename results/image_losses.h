#pragma once

#include <vector>

#include "sweeps/predictions.h"

namespace ranksweep::results {

// The loss of each image, the negative log-probability of its class: `labels` has that class'
// index. Empty when the predictions are left out or are not of as many images as there are labels.
std::vector<double> image_losses(const sweeps::Predictions& predictions,
                                 const std::vector<int>& labels);

}  // namespace ranksweep::results
