#include "worker/trainer/models_command.h"

#include <algorithm>
#include <stdexcept>

#include "sweeps/architectures.h"
#include "worker/models/model.h"

namespace ranksweep::worker {
namespace {

constexpr std::int64_t kFloat = sizeof(float);
constexpr std::int64_t kCopiesOfWeights = 4;  // weights, gradients, averages, best epoch

nlohmann::json describe_model(const Architecture& architecture, std::array<int, 2> image_size,
                              int batch) {
  const int smallest = sweeps::find_architecture(architecture.name)->smallest_size;
  if (std::min(image_size[0], image_size[1]) < smallest) {
    throw std::invalid_argument("images for " + architecture.name + " have at least " +
                                std::to_string(smallest) + " pixels a side");
  }
  const PassCost cost = measure(architecture.build, image_size);
  const sweeps::TrialSpec defaults;
  const Head head(defaults.head, defaults.dropout, cost.features, 2);
  std::int64_t parameters = cost.parameters;
  for (const auto& each : head.parameters()) parameters += each.numel();
  return {{"name", architecture.name},
          {"base_parameters", cost.parameters},
          {"parameters", parameters},
          {"multiply_adds", cost.multiply_adds},
          {"memory_bytes",
           kFloat * (kCopiesOfWeights * parameters + std::int64_t{batch} * cost.activations)}};
}

}  // namespace

nlohmann::json describe_models(const std::vector<std::string>& names, std::array<int, 2> image_size,
                               int batch) {
  nlohmann::json all = nlohmann::json::array();
  if (names.empty()) {
    for (const Architecture& each : architectures()) {
      all.push_back(describe_model(each, image_size, batch));
    }
  }
  for (const std::string& name : names) {
    all.push_back(describe_model(find_architecture(name), image_size, batch));
  }
  return all;
}

}  // namespace ranksweep::worker
