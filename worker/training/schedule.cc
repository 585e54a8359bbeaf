#include "worker/training/schedule.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <variant>

namespace ranksweep::worker {
namespace {

struct Factor {
  const sweeps::TrialSpec& spec;
  int epoch;
  const std::vector<sweeps::EpochMetrics>& history;

  double operator()(const sweeps::ConstantSchedule&) const { return 1; }

  double operator()(const sweeps::StepSchedule& step) const {
    return std::pow(step.factor, (epoch - 1) / step.every);
  }

  double operator()(const sweeps::CosineSchedule& cosine) const {
    const int warmup = cosine.warmup_epochs;
    if (epoch <= warmup) return static_cast<double>(epoch) / warmup;
    if (spec.epochs <= warmup) return 1;
    const double t = static_cast<double>(epoch - 1 - warmup) / (spec.epochs - warmup);
    return cosine.minimum +
           (1 - cosine.minimum) * (1 + std::cos(std::numbers::pi * std::min(t, 1.0))) / 2;
  }

  double operator()(const sweeps::PlateauSchedule& plateau) const {
    double factor = 1;
    double best = std::numeric_limits<double>::infinity();
    int wait = 0;
    for (const sweeps::EpochMetrics& past : history) {
      if (past.epoch >= epoch) break;
      if (past.val_loss < best - plateau.min_delta) {
        best = past.val_loss;
        wait = 0;
      } else if (++wait >= plateau.patience) {
        factor *= plateau.factor;
        wait = 0;
      }
    }
    return factor;
  }
};

}  // namespace

double schedule_factor(const sweeps::TrialSpec& spec, int epoch,
                       const std::vector<sweeps::EpochMetrics>& history) {
  return std::visit(Factor{spec, epoch, history}, spec.schedule);
}

}  // namespace ranksweep::worker
