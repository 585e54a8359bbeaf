#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>

#include "worker/data/mix.h"

namespace ranksweep::make_faces {

// Random numbers that are the same on every machine: the standard library's conversions differ
// between implementations.
class Random {
 public:
  // Each list of keys starts a sequence of its own.
  explicit Random(std::initializer_list<std::uint64_t> keys) : key_(worker::mix(keys)) {}

  std::uint64_t next() { return worker::mix({key_, ++drawn_}); }
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  int below(int count) { return static_cast<int>(next() % static_cast<std::uint64_t>(count)); }
  template <typename Choices>
  auto pick(const Choices& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(std::size(choices))))];
  }

 private:
  std::uint64_t key_;
  std::uint64_t drawn_ = 0;
};

}  // namespace ranksweep::make_faces
