#include "tools/cli/automatic_devices.h"

#include <algorithm>

namespace ranksweep::cli {
namespace {

constexpr double kUsableMemory = 0.9;  // the rest: fragments, and the libraries' own

bool fits(const sweeps::PlannedTrial& trial, int devices, double memory_bytes) {
  const int images = (trial.spec.batch_size + devices - 1) / devices;
  const double needed = trial.memory_bytes + images * trial.memory_bytes_per_image;
  return memory_bytes == 0 || needed <= kUsableMemory * memory_bytes;
}

}  // namespace

sweeps::Plan settle_devices(sweeps::Plan plan, const DevicesAtHand& at_hand) {
  double work = 0;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    work += trial.cost;
  }
  const double share = work / at_hand.count;
  for (sweeps::PlannedTrial& trial : plan.trials) {
    int& devices = trial.spec.devices;
    if (devices != sweeps::kAutomaticDevices) continue;
    const int most = std::min(at_hand.most, trial.spec.batch_size / sweeps::kFewestImages);
    devices = 1;
    while (2 * devices <= most &&
           (!fits(trial, devices, at_hand.memory_bytes) || trial.cost >= 2 * devices * share)) {
      devices *= 2;
    }
  }
  return plan;
}

}  // namespace ranksweep::cli
