#include "orchestrator/nearest_gpus.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace ranksweep::orchestrator {
namespace {

// No host that we know of has more. There are 12,870 choices of half as many.
constexpr std::size_t kMostCompared = 16;

int distance(const cluster::Gpu* one, const cluster::Gpu* other) {
  auto nearness = cluster::Nearness::system;
  if (one != nullptr && other != nullptr) {
    const auto found = one->near.find(other->name);
    if (found != one->near.end()) nearness = found->second;
  }
  return static_cast<int>(nearness);
}

// Tries the choices in their order, and leaves each as soon as it is no better than the best.
class Search {
 public:
  Search(const std::vector<const cluster::Gpu*>& gpus, std::size_t wanted)
      : wanted_(wanted), distances_(gpus.size(), std::vector<int>(gpus.size())) {
    int least = std::numeric_limits<int>::max();
    for (std::size_t i = 0; i < gpus.size(); ++i) {
      for (std::size_t j = i + 1; j < gpus.size(); ++j) {
        distances_[i][j] = distance(gpus[i], gpus[j]);
        least = std::min(least, distances_[i][j]);
      }
    }
    // All choices have equally many pairs, so what is common to all distances does not count.
    // Without it the first choice ends the search where all GPUs are equally near.
    for (auto& row : distances_) {
      for (int& each : row) each -= least;
    }
  }

  std::vector<std::size_t> nearest() {
    extend(0, 0);
    return best_;
  }

 private:
  void extend(std::size_t next, int sum) {
    if (sum >= best_sum_) return;
    if (chosen_.size() == wanted_) {
      best_sum_ = sum;
      best_ = chosen_;
      return;
    }
    const std::size_t last = distances_.size() - (wanted_ - chosen_.size());
    for (std::size_t place = next; place <= last; ++place) {
      int with_it = sum;
      for (const std::size_t other : chosen_) with_it += distances_[other][place];
      chosen_.push_back(place);
      extend(place + 1, with_it);
      chosen_.pop_back();
    }
  }

  std::size_t wanted_;
  std::vector<std::vector<int>> distances_;  // between the i-th and the j-th, i < j
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> best_;
  int best_sum_ = std::numeric_limits<int>::max();
};

}  // namespace

std::vector<std::size_t> nearest_gpus(const std::vector<const cluster::Gpu*>& gpus,
                                      std::size_t wanted) {
  if (wanted > 1 && wanted < gpus.size() && gpus.size() <= kMostCompared) {
    return Search(gpus, wanted).nearest();
  }
  std::vector<std::size_t> first(std::min(wanted, gpus.size()));
  std::iota(first.begin(), first.end(), 0);
  return first;
}

}  // namespace ranksweep::orchestrator
