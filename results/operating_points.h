#pragma once

#include <optional>
#include <vector>

#include "results/provenance.h"
#include "sweeps/predictions.h"

namespace ranksweep::results {

// What comes of taking a class from a probability on, on images whose classes are known.
struct OperatingPoint {
  double threshold = 0;
  int taken = 0;     // images from the threshold on
  int right = 0;     // of them, those of the class
  int of_class = 0;  // all images of the class

  double precision() const { return static_cast<double>(right) / taken; }
  double recall() const { return static_cast<double>(right) / of_class; }
};

// The operating points of the class with the index `positive`, one for each probability that it is
// given, the highest threshold first. A threshold lies halfway to the next smaller probability, so
// that no rounding moves an image to its other side. Empty when the predictions are left out or do
// not fit `images`, or no image is of the class.
std::vector<OperatingPoint> operating_points(const sweeps::Predictions& predictions,
                                             const std::vector<JudgedImage>& images, int positive);

// The point with at least that precision that finds most of the class, and of those the one with
// the fewest other images. Nothing when no point is so precise.
std::optional<OperatingPoint> find_point(const std::vector<OperatingPoint>& points,
                                         double precision);

}  // namespace ranksweep::results
