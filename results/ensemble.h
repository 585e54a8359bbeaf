#pragma once

#include <vector>

#include "sweeps/predictions.h"

// Whether the average of several trials' probabilities is better than the best trial alone, on
// images that chose neither: the trials that are best on some images are, on those, better than
// they really are, and so is their average.
namespace ranksweep::results {

// What a classifier makes of held-out images.
struct HeldOutScores {
  std::vector<double> losses;  // one an image
  std::vector<double> right;   // 1 or 0 an image; a share where it was held out several times
};

struct EnsembleScores {
  HeldOutScores best;     // of the best trial alone
  HeldOutScores average;  // of the mean probabilities of the best trials
};

// `members`: predictions for images that had no part in the choice, the best trial's first.
// `labels`: the index of each image's class. All must fit each other.
EnsembleScores test_ensemble(const std::vector<sweeps::Predictions>& members,
                             const std::vector<int>& labels);

// The same without such images, by repeated two-fold cross-validation of the choice: the `size`
// trials of `candidates` with the smallest loss on one half of the images are measured on the
// other, and the other way round; 50 times with random halves from a fixed seed, so that each image
// is held out 50 times, of which the mean is taken. Needs size <= candidates, two images.
EnsembleScores cross_validate_ensemble(const std::vector<sweeps::Predictions>& candidates,
                                       const std::vector<int>& labels, std::size_t size);

}  // namespace ranksweep::results
