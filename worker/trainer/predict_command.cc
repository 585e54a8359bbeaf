#include "worker/trainer/predict_command.h"

#include <fstream>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "worker/prediction/classify_files.h"

namespace ranksweep::worker {
namespace {

std::vector<std::filesystem::path> read_list(const std::filesystem::path& list) {
  std::ifstream file(list, std::ios::binary);
  if (!file) throw std::runtime_error(list.string() + " cannot be read");
  std::vector<std::filesystem::path> paths;
  for (std::string path; std::getline(file, path, '\0');) paths.emplace_back(path);
  return paths;
}

}  // namespace

void predict(const std::filesystem::path& checkpoint, const std::filesystem::path& list) {
  const std::vector<std::filesystem::path> paths = read_list(list);
  TrainedModel model =
      load_trained_model(checkpoint, torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  std::cout << nlohmann::json{{"classes", model.classes()}}.dump() << '\n';
  classify_files(model, paths, [](const Classification& result) {
    const auto line = result.error.empty() ? nlohmann::json{{"probabilities", result.probabilities}}
                                           : nlohmann::json{{"error", result.error}};
    std::cout << line.dump() << '\n';
  });
}

}  // namespace ranksweep::worker
