#include "worker/training/random.h"

#include <numeric>
#include <utility>

namespace ranksweep::worker {

std::uint64_t mix(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t state = 0;
  for (const std::uint64_t part : parts) {
    state += part + 0x9e3779b97f4a7c15;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
    state ^= state >> 31;
  }
  return state;
}

std::vector<std::int64_t> epoch_order(std::int64_t count, std::int64_t seed, int epoch) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = count - 1; i > 0; --i) {
    const std::uint64_t random =
        mix({static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(epoch),
             static_cast<std::uint64_t>(i)});
    std::swap(order[i], order[random % static_cast<std::uint64_t>(i + 1)]);
  }
  return order;
}

}  // namespace ranksweep::worker
