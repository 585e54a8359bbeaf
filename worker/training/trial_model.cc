#include "worker/training/trial_model.h"

#include <limits>
#include <span>
#include <utility>

#include <ATen/autocast_mode.h>

#include "sweeps/architectures.h"
#include "sweeps/trial_id.h"
#include "worker/augmentation/augment.h"
#include "worker/models/base_of_trial.h"
#include "worker/models/safetensors.h"
#include "worker/models/weights.h"
#include "worker/training/normalize.h"

namespace ranksweep::worker {
namespace {

// Runs what follows in a precision. In the two of 16 bits that is where Torch deems it safe,
// weights and sums staying in float32. Whether a GPU multiplies in TF32 is a matter of the whole
// process: it holds until the next forward pass, and so for the backward pass of this one.
class InPrecision {
 public:
  InPrecision(sweeps::Precision precision, c10::DeviceType device) : device_(device) {
    const bool tf32 = precision == sweeps::Precision::tf32;
    at::globalContext().setAllowTF32CuBLAS(tf32);
    at::globalContext().setAllowTF32CuDNN(tf32);
    const bool half = precision == sweeps::Precision::float16;
    was_on_ = at::autocast::is_autocast_enabled(device_);
    at::autocast::set_autocast_enabled(device_, half || precision == sweeps::Precision::bfloat16);
    at::autocast::set_autocast_dtype(device_, half ? at::kHalf : at::kBFloat16);
  }
  ~InPrecision() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_on_);
  }
  InPrecision(const InPrecision&) = delete;
  InPrecision& operator=(const InPrecision&) = delete;

 private:
  c10::DeviceType device_;
  bool was_on_ = false;
};

// What `auto` means where `ranksweep run` has not measured (tools/cli/automatic_choices.h).
sweeps::MemoryFormat settled(sweeps::MemoryFormat wanted) {
  return wanted == sweeps::MemoryFormat::automatic ? sweeps::MemoryFormat::channels_last : wanted;
}
sweeps::Precision settled(sweeps::Precision wanted, torch::Device device) {
  const bool is_float32 = wanted == sweeps::Precision::automatic ||
                          (wanted == sweeps::Precision::tf32 && !device.is_cuda());
  return is_float32 ? sweeps::Precision::float32 : wanted;
}

// Features are kept by the hash of the weights that they come from, so it has to be the right one.
void check_weights_hash(const sweeps::TrialSpec& spec) {
  if (!spec.weights_hash || sweeps::hash_hex_of_file(*spec.weights) == *spec.weights_hash) return;
  throw SafetensorsError(*spec.weights +
                         " is not the file that the sweep was planned with: its content is "
                         "another; put the old one back, or plan the sweep anew");
}

}  // namespace

sweeps::Normalization normalization_of(const sweeps::TrialSpec& spec) {
  return spec.normalization ? *spec.normalization : own_normalization(spec);
}

NamedTensors named(const std::vector<NamedTensor>& tensors) {
  NamedTensors result;
  for (const auto& [name, tensor, block] : tensors) result.emplace_back(name, tensor);
  return result;
}

TrialModel::TrialModel(const sweeps::TrialSpec& spec, int classes, torch::Device device)
    : spec_(spec),
      device_(device),
      precision_(settled(spec.precision, device)),
      memory_format_(settled(spec.memory_format)),
      head_(make_head(spec, classes)),
      parameter_count_(measure_base(spec).parameters) {
  head_->to(device_);
  for (const auto& parameter : head_->parameters()) parameter_count_ += parameter.numel();
}

bool TrialModel::base_stays_frozen() const {
  return spec_.training == sweeps::TrainingMode::frozen && !spec_.unfreeze_at_epoch;
}

Model& TrialModel::model() {
  if (model_) return *model_;
  Model built(spec_, head_);
  if (spec_.weights) {
    if (!sweeps::is_torchscript(spec_.architecture)) {
      load_base_weights(built, find_architecture(spec_.architecture), *spec_.weights);
    }
    check_weights_hash(spec_);
  }
  built.to(device_, torch_format());
  if (base_stays_frozen()) built.base().freeze(built.base_blocks());
  built.train(head_->is_training());
  return model_.emplace(std::move(built));
}

void TrialModel::train(bool on) {
  head_->train(on);
  if (model_) model_->train(on);
}

int TrialModel::always_frozen_blocks() {
  return frozen_blocks(spec_, model(), std::numeric_limits<int>::max());
}

std::vector<NamedTensor> TrialModel::trained_tensors() {
  if (base_stays_frozen()) return tensors_of(*head_);
  std::vector<NamedTensor> tensors = model().tensors();
  std::erase_if(tensors, [&](const auto& each) { return each.block < always_frozen_blocks(); });
  return tensors;
}

std::vector<NamedTensor> TrialModel::untrained_tensors() {
  std::vector<NamedTensor> tensors = model().tensors();
  std::erase_if(tensors, [&](const auto& each) { return each.block >= always_frozen_blocks(); });
  return tensors;
}

torch::Tensor TrialModel::images(const ImageSet& set, const torch::Tensor& indices) const {
  return prepare(pixels(set, indices));
}

torch::Tensor TrialModel::augmented_images(const ImageSet& set, const torch::Tensor& indices,
                                           int epoch) const {
  const std::span images(indices.const_data_ptr<std::int64_t>(),
                         static_cast<std::size_t>(indices.numel()));
  return prepare(augment(pixels(set, indices), images, epoch, spec_.augmentation, spec_.data_seed));
}

// By way of memory that a GPU can copy from by itself, while this thread goes on.
torch::Tensor TrialModel::pixels(const ImageSet& set, const torch::Tensor& indices) const {
  if (!device_.is_cuda()) return set.images.index_select(0, indices);
  std::vector<std::int64_t> shape = set.images.sizes().vec();
  shape[0] = indices.numel();
  torch::Tensor pinned = torch::empty(shape, set.images.options().pinned_memory(true));
  at::index_select_out(pinned, set.images, 0, indices);
  return pinned.to(device_, /*non_blocking=*/true);
}

// `pixels`: uint8 or float32 [N, H, W, 3].
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
  const InPrecision in_precision(precision_, device_.type());
  return model().pooled(images).to(torch::kFloat32);
}

torch::Tensor TrialModel::leading_maps(const torch::Tensor& images, int blocks) {
  const InPrecision in_precision(precision_, device_.type());
  return model().base().run(images, 0, blocks).to(torch::kFloat32).flatten(1);
}

torch::Tensor TrialModel::pooled_of(const torch::Tensor& features, int blocks) {
  if (blocks == 0) return features;
  const InPrecision in_precision(precision_, device_.type());
  const std::vector<std::int64_t>& shape = shape_of_maps(blocks);
  const torch::Tensor maps =
      features.view({features.size(0), shape[0], shape[1], shape[2]}).contiguous(torch_format());
  Model& all = model();
  return head_->pool(all.base().run(maps, blocks, all.base_blocks())).to(torch::kFloat32);
}

std::int64_t TrialModel::bytes_of_maps(int blocks) {
  const std::vector<std::int64_t>& shape = shape_of_maps(blocks);
  return shape[0] * shape[1] * shape[2] * static_cast<std::int64_t>(sizeof(float));
}

const std::vector<std::int64_t>& TrialModel::shape_of_maps(int blocks) {
  std::vector<std::int64_t>& shape = shapes_of_maps_[blocks];
  if (shape.empty()) {
    const torch::NoGradGuard no_gradients;
    const auto [height, width] = spec_.image_size;
    Base& base = model().base();
    const bool training = base.is_training();
    base.train(false);  // one image has no variance
    shape = base.run(torch::zeros({1, 3, height, width}, device_), 0, blocks)[0].sizes().vec();
    base.train(training);
  }
  return shape;
}

torch::Tensor TrialModel::logits(const torch::Tensor& pooled) {
  const InPrecision in_precision(precision_, device_.type());
  return head_->forward(pooled).to(torch::kFloat32);
}

}  // namespace ranksweep::worker
