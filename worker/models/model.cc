#include "worker/models/model.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "worker/data/mix.h"
#include "worker/models/base_of_trial.h"

namespace ranksweep::worker {
namespace {

constexpr std::uint64_t kHeadStream = 0x68656164;  // parts the head's draws from the base's

void list_tensors(const torch::nn::Module& module, const std::string& prefix,
                  std::vector<NamedTensor>& tensors) {
  for (const auto& each : module.named_parameters()) {
    tensors.push_back({prefix + each.key(), each.value()});
  }
  for (const auto& each : module.named_buffers()) {
    tensors.push_back({prefix + each.key(), each.value()});
  }
}

int block_index(const Base& base, const std::string& name) {
  std::string names;
  const auto& blocks = base.blocks();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].name == name) return static_cast<int>(i);
    names += (i ? ", " : "") + blocks[i].name;
  }
  throw std::invalid_argument("frozen_until: there is no block \"" + name + "\"; there are " +
                              names);
}

}  // namespace

std::shared_ptr<Head> make_head(const sweeps::TrialSpec& spec, int classes) {
  const PassCost cost = measure_base(spec);
  torch::manual_seed(mix({static_cast<std::uint64_t>(spec.seed), kHeadStream}));
  return std::make_shared<Head>(spec.head, spec.dropout, cost.features, classes);
}

std::vector<NamedTensor> tensors_of(const Head& head) {
  std::vector<NamedTensor> tensors;
  list_tensors(head, "head.", tensors);
  return tensors;
}

Model::Model(const sweeps::TrialSpec& spec, std::shared_ptr<Head> head) : head_(std::move(head)) {
  torch::manual_seed(static_cast<std::uint64_t>(spec.seed));
  build_base(spec, *base_);
  if (spec.frozen_until) block_index(*base_, *spec.frozen_until);  // throws when there is none

  std::unordered_map<const void*, int> block_of;
  for (int i = 0; i < base_blocks(); ++i) {
    for (const auto& module : base_->blocks()[i].modules) {
      for (const auto& each : module->parameters()) block_of[each.unsafeGetTensorImpl()] = i;
      for (const auto& each : module->buffers()) block_of[each.unsafeGetTensorImpl()] = i;
    }
  }
  list_tensors(*base_, "", tensors_);
  for (auto& each : tensors_) each.block = block_of.at(each.tensor.unsafeGetTensorImpl());
  std::stable_sort(tensors_.begin(), tensors_.end(),
                   [](const auto& a, const auto& b) { return a.block < b.block; });
  const std::size_t in_base = tensors_.size();
  list_tensors(*head_, "head.", tensors_);
  for (std::size_t i = in_base; i < tensors_.size(); ++i) tensors_[i].block = base_blocks();
}

void Model::train(bool on) {
  base_->train(on);
  head_->train(on);
}

void Model::to(torch::Device device, torch::MemoryFormat format) {
  base_->to(device);
  head_->to(device);
  torch::NoGradGuard no_gradients;
  for (auto& [name, tensor, block] : tensors_) {
    if (tensor.dim() == 4) tensor.set_data(tensor.contiguous(format));
  }
}

std::int64_t Model::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& each : base_->parameters()) count += each.numel();
  for (const auto& each : head_->parameters()) count += each.numel();
  return count;
}

int frozen_blocks(const sweeps::TrialSpec& spec, Model& model, int epoch) {
  const bool whole_base = spec.training == sweeps::TrainingMode::frozen &&
                          (!spec.unfreeze_at_epoch || epoch < *spec.unfreeze_at_epoch);
  if (whole_base) return model.base_blocks();
  return spec.frozen_until ? block_index(model.base(), *spec.frozen_until) : 0;
}

}  // namespace ranksweep::worker
