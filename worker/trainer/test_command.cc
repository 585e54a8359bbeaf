#include "worker/trainer/test_command.h"

#include <fstream>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "worker/prediction/trained_model.h"
#include "worker/trainer/load_data.h"

namespace ranksweep::worker {
namespace {

nlohmann::json read_request(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  nlohmann::json request = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) throw std::runtime_error(file.string() + " is no JSON object");
  return request;
}

}  // namespace

void test(const std::filesystem::path& checkpoint, const std::filesystem::path& request) {
  const nlohmann::json asked = read_request(request);
  at::set_num_threads(asked.at("threads"));
  TrainedModel model = load_model(checkpoint, torch::Device(asked.at("device").get<std::string>()));
  const TestSplit split = load_test_split(asked.at("data"), model.image_size());
  const Evaluation result = model.evaluate(split.images);
  nlohmann::json answer = sweeps::to_json(predictions_of(result.logits));
  // JSON has no infinity, and a loss may be one on images that no epoch has seen.
  answer["loss"] = std::isfinite(result.loss) ? nlohmann::json(result.loss) : nlohmann::json();
  answer["accuracy"] = result.accuracy;
  answer["classes_predicted"] = result.classes_predicted;
  std::cout << answer.dump() << '\n';
}

}  // namespace ranksweep::worker
