#pragma once

#include <cstdint>
#include <initializer_list>

namespace ranksweep::worker {

// A well-mixed number from `parts`, by the finaliser of SplitMix64 (Steele, Lea and Flood, Fast
// Splittable Pseudorandom Number Generators, 2014). Every random number of training is such a
// function of seeds and places, never of what was drawn before.
constexpr std::uint64_t mix(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t state = 0;
  for (const std::uint64_t part : parts) {
    state += part + 0x9E3779B97F4A7C15;
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
    state ^= state >> 31;
  }
  return state;
}

}  // namespace ranksweep::worker
