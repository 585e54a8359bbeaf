#include "worker/trainer/models_command.h"

#include <algorithm>
#include <stdexcept>

#include "sweeps/architectures.h"
#include "worker/models/architecture.h"
#include "worker/models/base_of_trial.h"
#include "worker/models/head.h"

namespace ranksweep::worker {
namespace {

constexpr std::int64_t kFloat = sizeof(float);
constexpr std::int64_t kCopiesOfWeights = 4;  // weights, gradients, averages, best epoch

void require_size(const std::string& name, std::array<int, 2> image_size) {
  const int smallest = sweeps::find_architecture(find_architecture(name).name)->smallest_size;
  if (std::min(image_size[0], image_size[1]) < smallest) {
    throw std::invalid_argument("images for " + name + " have at least " +
                                std::to_string(smallest) + " pixels a side");
  }
}

nlohmann::json describe_model(const std::string& name, const sweeps::TrialSpec& spec, int batch) {
  const PassCost cost = measure_base(spec);
  const Head head(spec.head, spec.dropout, cost.features, 2);
  std::int64_t parameters = cost.parameters;
  for (const auto& each : head.parameters()) parameters += each.numel();
  return {{"name", name},
          {"base_parameters", cost.parameters},
          {"parameters", parameters},
          {"multiply_adds", cost.multiply_adds},
          {"activation_bytes", kFloat * cost.activations},
          {"memory_bytes",
           kFloat * (kCopiesOfWeights * parameters + std::int64_t{batch} * cost.activations)}};
}

}  // namespace

nlohmann::json describe_models(const ModelsRequest& request) {
  const bool all_of_ours = request.names.empty() && request.torchscript.empty();
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& name : all_of_ours ? sweeps::architecture_names() : request.names) {
    require_size(name, request.image_size);
    sweeps::TrialSpec spec;
    spec.architecture = name;
    spec.image_size = request.image_size;
    all.push_back(describe_model(name, spec, request.batch));
  }
  for (const std::string& file : request.torchscript) {
    sweeps::TrialSpec spec;
    spec.architecture = sweeps::name_of_torchscript(file);
    spec.image_size = request.image_size;
    spec.weights = file;
    all.push_back(describe_model(file, spec, request.batch));
  }
  return all;
}

}  // namespace ranksweep::worker
