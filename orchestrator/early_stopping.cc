#include "orchestrator/early_stopping.h"

#include <limits>

namespace ranksweep::orchestrator {

cluster::Decision decide(int max_epochs, const std::optional<sweeps::EarlyStopping>& early_stopping,
                         std::span<const sweeps::EpochMetrics> epochs) {
  if (static_cast<int>(epochs.size()) >= max_epochs) {
    return cluster::Decision::stop;
  }
  if (!early_stopping) {
    return cluster::Decision::go_on;
  }
  double best = std::numeric_limits<double>::infinity();
  int waited = 0;
  for (const sweeps::EpochMetrics& epoch : epochs) {
    if (epoch.val_loss < best - early_stopping->min_delta) {
      best = epoch.val_loss;
      waited = 0;
    } else {
      ++waited;
    }
  }
  return waited >= early_stopping->patience ? cluster::Decision::stop : cluster::Decision::go_on;
}

}  // namespace ranksweep::orchestrator
