#include "worker/trainer/predict_command.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace ranksweep::worker {
namespace {

std::vector<std::filesystem::path> read_list(const std::filesystem::path& list) {
  std::ifstream file(list, std::ios::binary);
  if (!file) throw std::runtime_error(list.string() + " cannot be read");
  std::vector<std::filesystem::path> paths;
  for (std::string path; std::getline(file, path, '\0');) paths.emplace_back(path);
  return paths;
}

torch::Device device_from(const std::string& wish) {
  const auto gpus = static_cast<int>(torch::cuda::device_count());
  if (wish == "auto") return gpus > 0 ? torch::kCUDA : torch::kCPU;
  const torch::Device device(wish);
  if (device.is_cuda() && std::max<int>(device.index(), 0) >= gpus) {
    throw std::invalid_argument("device " + wish + ": LibTorch finds " + std::to_string(gpus) +
                                " GPUs here; take another, or cpu");
  }
  return device;
}

nlohmann::json to_json(const Classification& result) {
  if (!result.error.empty()) return {{"error", result.error}};
  nlohmann::json line = {{"probabilities", result.probabilities}};
  if (!result.occlusion.empty()) line["occlusion"] = result.occlusion;
  return line;
}

}  // namespace

void predict(const PredictRequest& request) {
  const std::vector<std::filesystem::path> paths = read_list(request.list);
  TrainedModel model = load_model(request.checkpoint, device_from(request.device));
  std::cout
      << nlohmann::json{{"classes", model.classes()}, {"image_size", model.image_size()}}.dump()
      << '\n';
  classify_files(model, paths, request.classify,
                 [](const Classification& result) { std::cout << to_json(result).dump() << '\n'; });
}

}  // namespace ranksweep::worker
