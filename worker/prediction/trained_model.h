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
  torch::Device device() const { return model_.device(); }
  Model& network() { return model_.model(); }

  // Images [N, H, W, 3] of uint8, RGB, of image_size(), on the CPU, normalised as in validation:
  // float32 [N, 3, H, W] on the device.
  torch::Tensor prepare(const torch::Tensor& images) const;
  // Of prepared images, computed as in validation: float32 [N, 1] or [N, classes] on the device.
  torch::Tensor logits(const torch::Tensor& prepared);
  // The same as probabilities, [N, classes] whose rows sum to 1.
  torch::Tensor probabilities(const torch::Tensor& prepared);
  // Of a whole set of images of image_size(), as a trial's validation.
  Evaluation evaluate(const ImageSet& set) { return worker::evaluate(model_, set, {}, 0, {}); }

 private:
  sweeps::TrialSpec spec_;
  std::vector<std::string> classes_;
  TrialModel model_;  // refers to spec_
};

// Of a file. Throws SafetensorsError with its name.
TrainedModel load_model(const std::filesystem::path& checkpoint, torch::Device device);

}  // namespace ranksweep::worker
