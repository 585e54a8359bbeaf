#pragma once

#include <map>
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
  // "7 ended in both: 6 with equal results, 1 with others; 2 not ended in both, 0 in ..."
  std::string summary() const;
  // Whether there are trials that ended in both, and each of them has the same mark, best epoch and
  // loss, to the last bit.
  bool all_equal() const { return count(Verdict::equal) > 0 && count(Verdict::other) == 0; }

 private:
  struct Pair {
    std::optional<RankedTrial> first;
    std::optional<RankedTrial> second;
  };

  enum class Verdict { equal, other, not_ended, first_alone, second_alone };
  static Verdict judge(const Pair& pair);
  static const char* name_of(Verdict verdict);
  int count(Verdict verdict) const;

  std::vector<Pair> pairs_;
  std::map<Verdict, int> counts_;
};

}  // namespace ranksweep::results
