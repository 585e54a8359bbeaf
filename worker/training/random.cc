#include "worker/training/random.h"

#include <numeric>
#include <utility>

namespace ranksweep::worker {

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
