#pragma once

#include <optional>

#include "worker/models/model.h"
#include "worker/training/training_data.h"

namespace ranksweep::worker {

// The model of a trial on its device, in its precision and memory format, with images in and
// logits out.
class TrialModel {
 public:
  TrialModel(const sweeps::TrialSpec& spec, int classes, torch::Device device);

  Model& model() { return model_; }
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

 private:
  torch::Tensor prepare(torch::Tensor pixels) const;
  torch::MemoryFormat torch_format() const;
  bool in_bfloat16() const { return precision_ == sweeps::Precision::bfloat16; }

  sweeps::TrialSpec spec_;
  torch::Device device_;
  sweeps::Precision precision_;
  sweeps::MemoryFormat memory_format_;
  Model model_;
};

}  // namespace ranksweep::worker
