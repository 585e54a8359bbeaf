#include "worker/prediction/trained_model.h"

#include <algorithm>
#include <map>
#include <span>

#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "sweeps/trial_values.h"
#include "worker/models/shared_base.h"
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

// The trial as it ran: nothing automatic, and no weights to read but those of the checkpoint; a
// TorchScript file is read for the network itself.
sweeps::TrialSpec spec_of(const SafetensorsFile& file) {
  sweeps::TrialSpec spec = sweeps::trial_spec_from_json(metadata_of(file, "spec"));
  sweeps::decode(metadata_of(file, "precision"), spec.precision);
  sweeps::decode(metadata_of(file, "memory_format"), spec.memory_format);
  if (!sweeps::is_torchscript(spec.architecture)) spec.weights.reset();
  return spec;
}

// Fills `tensors` from `file`.
void read_weights(std::span<const NamedTensor> tensors, const SafetensorsFile& file) {
  std::map<std::string, const ArrayInfo*> arrays;
  for (const ArrayInfo& array : file.header().arrays) arrays[array.name] = &array;
  for (const auto& [name, tensor, block] : tensors) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw SafetensorsError("it has no tensor " + name);
    read_into(tensor, file, *found->second);
  }
}

// The head from `file`, and the base from there or from the file that it names.
void read_weights(Model& model, const SafetensorsFile& file) {
  const std::span tensors(model.tensors());
  if (!needs_base(file)) return read_weights(tensors, file);
  const auto head = std::ranges::find(tensors, model.base_blocks(), &NamedTensor::block);
  const auto in_base = static_cast<std::size_t>(head - tensors.begin());
  read_weights(tensors.first(in_base), SafetensorsFile(base_of(file)));
  read_weights(tensors.subspan(in_base), file);
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

torch::Tensor TrainedModel::prepare(const torch::Tensor& images) const {
  const ImageSet set{.images = images, .labels = {}};
  return model_.images(set, torch::arange(images.size(0), torch::kInt64));
}

torch::Tensor TrainedModel::logits(const torch::Tensor& prepared) {
  const torch::NoGradGuard no_gradients;
  return model_.logits(model_.pooled(prepared));
}

torch::Tensor TrainedModel::probabilities(const torch::Tensor& prepared) {
  return Loss::probabilities(logits(prepared));
}

TrainedModel load_model(const std::filesystem::path& checkpoint, torch::Device device) {
  const SafetensorsFile file(checkpoint);
  try {
    return {file, device};
  } catch (const SafetensorsError& error) {
    throw SafetensorsError(checkpoint.string() + " cannot be used: " + error.what());
  }
}

}  // namespace ranksweep::worker
