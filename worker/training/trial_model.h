#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "worker/models/model.h"
#include "worker/models/tensor_file.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// As a file has them.
NamedTensors named(const std::vector<NamedTensor>& tensors);

// The model of a trial on its device, in its precision and memory format, with images in and
// logits out. Its base is built, and its weights read, when somebody first needs it: a head on
// features that are known already never does.
class TrialModel {
 public:
  // Throws as make_head() does.
  TrialModel(const sweeps::TrialSpec& spec, int classes, torch::Device device);

  // Whether no epoch trains any of the base.
  bool base_stays_frozen() const;
  // How many of the base's blocks, from the first on, no epoch trains.
  int always_frozen_blocks();
  // With its base. Throws SafetensorsError when the weights to start from do not fit, or are no
  // longer those of the trial; std::invalid_argument for an unknown block.
  Model& model();
  bool has_base() const { return model_.has_value(); }
  Head& head() { return *head_; }
  void train(bool on);

  // What some epoch may change, parameters and statistics of batch normalisation, and what none
  // does.
  std::vector<NamedTensor> trained_tensors();
  std::vector<NamedTensor> untrained_tensors();
  std::int64_t parameter_count() const { return parameter_count_; }

  torch::Device device() const { return device_; }
  // What it runs with: never automatic.
  sweeps::Precision precision() const { return precision_; }
  sweeps::MemoryFormat memory_format() const { return memory_format_; }

  // Prepares the images `indices` of `set` for the base: float32 [N, 3, H, W] on the device.
  torch::Tensor images(const ImageSet& set, const torch::Tensor& indices) const;
  // The same, changed as the trial's augmentation asks for in `epoch`.
  torch::Tensor augmented_images(const ImageSet& set, const torch::Tensor& indices,
                                 int epoch) const;

  // Pooled features [N, F] of prepared images; logits of pooled features. Both in float32.
  torch::Tensor pooled(const torch::Tensor& images);
  torch::Tensor logits(const torch::Tensor& pooled);

  // The maps [N, C * h * w] that the first `blocks` of the base make of prepared images, in
  // float32; and what pooled() would have made of the images, from the maps. Of 0 blocks: what is
  // given is pooled already.
  torch::Tensor leading_maps(const torch::Tensor& images, int blocks);
  torch::Tensor pooled_of(const torch::Tensor& features, int blocks);
  std::int64_t bytes_of_maps(int blocks);  // of an image

 private:
  const std::vector<std::int64_t>& shape_of_maps(int blocks);
  // uint8 [N, H, W, 3] on the device.
  torch::Tensor pixels(const ImageSet& set, const torch::Tensor& indices) const;
  torch::Tensor prepare(torch::Tensor pixels) const;
  torch::MemoryFormat torch_format() const;

  sweeps::TrialSpec spec_;
  torch::Device device_;
  sweeps::Precision precision_;
  sweeps::MemoryFormat memory_format_;
  std::shared_ptr<Head> head_;
  std::optional<Model> model_;
  std::map<int, std::vector<std::int64_t>> shapes_of_maps_;  // [C, h, w] by blocks, once known
  std::int64_t parameter_count_;
};

}  // namespace ranksweep::worker
