#pragma once

#include <string>
#include <vector>

#include "results/provenance.h"
#include "results/table.h"
#include "sweeps/predictions.h"

namespace ranksweep::results {

// An image that a network puts into the wrong class.
struct Mistake {
  std::string file;
  int label = 0;           // index into the classes, as is `taken_for`
  int taken_for = 0;       // the likeliest class
  double probability = 0;  // that the network gives that class
};

// What a network makes of a split.
struct Judgement {
  std::vector<std::vector<int>> confusion;  // images by class and by predicted class
  std::vector<Mistake> mistakes;            // the surest first
};

// Empty when the predictions are left out or do not fit `images`.
Judgement judge(const sweeps::Predictions& predictions, const std::vector<JudgedImage>& images);

// A row a class and a column a predicted class, with the share of the class that is right; for more
// than 12 classes the 20 most frequent confusions instead.
Table confusion_table(const Judgement& judgement, const std::vector<std::string>& classes);
// The first `limit` mistakes.
Table mistake_table(const Judgement& judgement, const std::vector<std::string>& classes,
                    std::size_t limit);

}  // namespace ranksweep::results
