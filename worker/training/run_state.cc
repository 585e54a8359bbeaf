#include "worker/training/run_state.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace ranksweep::sweeps {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EpochMetrics, epoch, train_loss, train_accuracy,
                                                val_loss, val_accuracy, learning_rate, seconds,
                                                data_wait_s, validation_s, train_images, val_images,
                                                val_classes_predicted, peak_memory_bytes)

}  // namespace ranksweep::sweeps

namespace ranksweep::worker {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LossScale, factor, steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunState, epoch, step, loss_sum, correct, images, seconds,
                                   data_wait_s, history, loss_scale)

nlohmann::json to_json(const RunState& state) { return nlohmann::json(state); }

RunState run_state_from_json(const nlohmann::json& json) { return json.get<RunState>(); }

int best_epoch(const std::vector<sweeps::EpochMetrics>& history) {
  const auto best =
      std::min_element(history.begin(), history.end(),
                       [](const auto& a, const auto& b) { return a.val_loss < b.val_loss; });
  return best == history.end() ? 0 : best->epoch;
}

}  // namespace ranksweep::worker
