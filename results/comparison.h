#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/ranking.h"
#include "results/table.h"

namespace ranksweep::results {

// The rankings of two databases, trial by trial. Trials with one identity have one specification
// and the same images, so on one machine and with one release of LibTorch they should agree.
class Comparison {
 public:
  Comparison(const std::vector<RankedTrial>& first, const std::vector<RankedTrial>& second);

  // One row for each trial of either, in the order of the first, then of the second.
  Table table() const;
  // "7 trials in both: 6 with equal results, 1 with others; 2 in the first alone, ..."
  std::string summary() const;
  // Whether every trial that both have has the same mark, best epoch and loss, to the last bit.
  bool all_equal() const { return other_ == 0; }

 private:
  struct Pair {
    std::optional<RankedTrial> first;
    std::optional<RankedTrial> second;
  };

  static bool equal(const Pair& pair);

  std::vector<Pair> pairs_;
  int equal_ = 0;
  int other_ = 0;
  int first_alone_ = 0;
  int second_alone_ = 0;
};

}  // namespace ranksweep::results
