#pragma once

namespace ranksweep::results {

struct Interval {
  double low = 0;
  double high = 0;

  bool operator==(const Interval&) const = default;
};

}  // namespace ranksweep::results
