#include "worker/training/trial_model.h"

#include <span>
#include <utility>

#include <ATen/autocast_mode.h>

#include "worker/augmentation/augment.h"
#include "worker/models/weights.h"

namespace ranksweep::worker {
namespace {

// Runs what follows in bfloat16 where Torch deems it safe, weights and sums staying in float32.
class Autocast {
 public:
  Autocast(c10::DeviceType device, bool on) : device_(device) {
    was_on_ = at::autocast::is_autocast_enabled(device_);
    at::autocast::set_autocast_enabled(device_, on);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_on_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool was_on_;
};

// Automatic choices are fixed for a machine rather than timed at run time, so that a trial gives
// the same bits twice. docs/benchmarks.md has the measurements behind them.

// Channels last was the quicker for every architecture measured.
sweeps::MemoryFormat choose(sweeps::MemoryFormat wanted) {
  return wanted == sweeps::MemoryFormat::automatic ? sweeps::MemoryFormat::channels_last : wanted;
}

// Bfloat16 is the quicker where the processor multiplies it, and many times slower elsewhere.
sweeps::Precision choose(sweeps::Precision wanted, torch::Device device) {
  if (wanted != sweeps::Precision::automatic) return wanted;
#ifdef __x86_64__
  if (device.is_cpu() && __builtin_cpu_supports("avx512bf16")) return sweeps::Precision::bfloat16;
#endif
  return sweeps::Precision::float32;
}

// Per-channel factor and offset such that prepared = pixel * factor + offset.
struct Scaling {
  std::array<float, 3> factor;
  std::array<float, 3> offset;
  bool bgr = false;
};

Scaling scaling(sweeps::Normalization normalization) {
  constexpr float kByte = 1.0F / 255;
  switch (normalization) {
    case sweeps::Normalization::scale_0_1:
      return {{kByte, kByte, kByte}, {0, 0, 0}};
    case sweeps::Normalization::minus1_1:
      return {{2 * kByte, 2 * kByte, 2 * kByte}, {-1, -1, -1}};
    case sweeps::Normalization::caffe:
      return {{1, 1, 1}, {-103.939F, -116.779F, -123.68F}, true};
    case sweeps::Normalization::imagenet:
      break;
  }
  return {{kByte / 0.229F, kByte / 0.224F, kByte / 0.225F},
          {-0.485F / 0.229F, -0.456F / 0.224F, -0.406F / 0.225F}};
}

// Float32 [N, H, W, 3] from 0..255; may change `batch`. A whole row of pixels at a time: Torch is
// slow where the innermost dimension has three numbers.
torch::Tensor normalize(torch::Tensor batch, sweeps::Normalization normalization) {
  const Scaling scale = scaling(normalization);
  batch = scale.bgr ? batch.flip({3}) : batch.contiguous();
  const auto row = [&](const std::array<float, 3>& values) {
    return torch::tensor({values[0], values[1], values[2]}, batch.options()).repeat(batch.size(2));
  };
  batch.view({batch.size(0), batch.size(1), -1}).mul_(row(scale.factor)).add_(row(scale.offset));
  return batch;
}

}  // namespace

sweeps::Normalization normalization_of(const sweeps::TrialSpec& spec) {
  return spec.normalization.value_or(find_architecture(spec.architecture).normalization);
}

TrialModel::TrialModel(const sweeps::TrialSpec& spec, int classes, torch::Device device)
    : spec_(spec),
      device_(device),
      precision_(choose(spec.precision, device)),
      memory_format_(choose(spec.memory_format)),
      model_(spec, classes) {
  if (spec.weights) {
    load_base_weights(model_, find_architecture(spec.architecture), *spec.weights);
  }
  model_.to(device_, torch_format());
}

torch::Tensor TrialModel::images(const ImageSet& set, const torch::Tensor& indices) const {
  return prepare(set.images.index_select(0, indices).to(device_).to(torch::kFloat32));
}

torch::Tensor TrialModel::augmented_images(const ImageSet& set, const torch::Tensor& indices,
                                           int epoch) const {
  const std::span images(indices.const_data_ptr<std::int64_t>(),
                         static_cast<std::size_t>(indices.numel()));
  return prepare(augment(set.images.index_select(0, indices).to(device_), images, epoch,
                         spec_.augmentation, spec_.data_seed));
}

// `pixels`: float32 [N, H, W, 3].
torch::Tensor TrialModel::prepare(torch::Tensor pixels) const {
  return normalize(std::move(pixels), normalization_of(spec_))
      .permute({0, 3, 1, 2})
      .contiguous(torch_format());
}

torch::MemoryFormat TrialModel::torch_format() const {
  return memory_format_ == sweeps::MemoryFormat::contiguous ? torch::MemoryFormat::Contiguous
                                                            : torch::MemoryFormat::ChannelsLast;
}

torch::Tensor TrialModel::pooled(const torch::Tensor& images) {
  const Autocast autocast(device_.type(), in_bfloat16());
  return model_.pooled(images).to(torch::kFloat32);
}

torch::Tensor TrialModel::logits(const torch::Tensor& pooled) {
  const Autocast autocast(device_.type(), in_bfloat16());
  return model_.head().forward(pooled).to(torch::kFloat32);
}

}  // namespace ranksweep::worker
