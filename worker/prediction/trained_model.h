#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/models/safetensors.h"
#include "worker/training/evaluation.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {

// The network that a trial left behind at its best epoch, ready to classify: everything it needs
// stands in the checkpoint.
class TrainedModel {
 public:
  // `checkpoint`: a trial's best-EPOCH.safetensors, which is read and not kept. Throws
  // SafetensorsError, without the file's name, when it is damaged or no trial's checkpoint.
  TrainedModel(const SafetensorsFile& checkpoint, torch::Device device);
  TrainedModel(const TrainedModel&) = delete;
  TrainedModel& operator=(const TrainedModel&) = delete;
  ~TrainedModel() = default;

  const std::vector<std::string>& classes() const { return classes_; }
  std::array<int, 2> image_size() const { return spec_.image_size; }
  sweeps::Normalization normalization() const { return normalization_of(spec_); }
  Model& network() { return model_.model(); }

  // Of images [N, H, W, 3] of uint8, RGB, of image_size(), on the CPU: float32 [N, classes] there;
  // each row sums to 1. Normalised and computed as in validation.
  torch::Tensor probabilities(const torch::Tensor& images);
  // The same of normalised images [N, 3, H, W] of float32, on the device.
  torch::Tensor probabilities_of_prepared(const torch::Tensor& images);
  // Of a whole set of images of image_size(), as a trial's validation.
  Evaluation evaluate(const ImageSet& set) { return worker::evaluate(model_, set, {}, {}); }

 private:
  sweeps::TrialSpec spec_;
  std::vector<std::string> classes_;
  TrialModel model_;  // refers to spec_
};

// Of a file. Throws SafetensorsError with its name.
TrainedModel load_model(const std::filesystem::path& checkpoint, torch::Device device);

}  // namespace ranksweep::worker
