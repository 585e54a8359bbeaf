#include "worker/prediction/trained_model.h"

#include <map>

#include <nlohmann/json.hpp>

#include "sweeps/trial_values.h"
#include "worker/models/tensor_file.h"
#include "worker/training/loss.h"

namespace ranksweep::worker {
namespace {

nlohmann::json metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto& metadata = file.header().metadata;
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    throw SafetensorsError("it says nothing of its " + key + ", so it is no trial's checkpoint");
  }
  const bool is_word = key == "precision" || key == "memory_format";
  return is_word ? nlohmann::json(found->second) : nlohmann::json::parse(found->second);
}

// The trial as it ran: nothing automatic, and no weights to read but those of the checkpoint.
sweeps::TrialSpec spec_of(const SafetensorsFile& file) {
  sweeps::TrialSpec spec = sweeps::trial_spec_from_json(metadata_of(file, "spec"));
  sweeps::decode(metadata_of(file, "precision"), spec.precision);
  sweeps::decode(metadata_of(file, "memory_format"), spec.memory_format);
  spec.weights.reset();
  return spec;
}

void read_weights(Model& model, const SafetensorsFile& file) {
  std::map<std::string, const ArrayInfo*> arrays;
  for (const ArrayInfo& array : file.header().arrays) arrays[array.name] = &array;
  for (const auto& [name, tensor, block] : model.tensors()) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw SafetensorsError("it has no tensor " + name);
    read_into(tensor, file, *found->second);
  }
}

}  // namespace

TrainedModel::TrainedModel(const SafetensorsFile& file, torch::Device device)
    : spec_(spec_of(file)),
      classes_(metadata_of(file, "classes").get<std::vector<std::string>>()),
      model_(spec_, static_cast<int>(classes_.size()), device) {
  verify_checksum(file);
  torch::NoGradGuard no_gradients;
  read_weights(model_.model(), file);
  model_.model().train(false);
}

torch::Tensor TrainedModel::probabilities(const torch::Tensor& images) {
  torch::NoGradGuard no_gradients;
  const ImageSet set{.images = images, .labels = {}};
  const torch::Tensor all = torch::arange(images.size(0), torch::kInt64);
  return Loss::probabilities(model_.logits(model_.pooled(model_.images(set, all)))).cpu();
}

}  // namespace ranksweep::worker
