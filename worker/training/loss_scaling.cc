#include "worker/training/loss_scaling.h"

namespace ranksweep::worker {
namespace {

constexpr double kFirstFactor = 65536;
constexpr int kStepsUntilGrowth = 2000;

}  // namespace

LossScaling::LossScaling(sweeps::Precision precision)
    : on_(precision == sweeps::Precision::float16), scale_{.factor = on_ ? kFirstFactor : 1} {}

bool LossScaling::unscale(const std::vector<torch::Tensor>& gradients) {
  if (!on_ || gradients.empty()) return true;
  const torch::NoGradGuard no_gradients;
  torch::Tensor infinite = torch::zeros({1}, gradients[0].options());
  const torch::Tensor inverse = torch::full({1}, 1 / scale_.factor, gradients[0].options());
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, infinite, inverse);
  if (infinite.item<float>() > 0) {
    scale_ = {.factor = scale_.factor / 2};
    return false;
  }
  if (++scale_.steps == kStepsUntilGrowth) {
    scale_ = {.factor = scale_.factor * 2};
  }
  return true;
}

}  // namespace ranksweep::worker
