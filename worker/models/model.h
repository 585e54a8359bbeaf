#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sweeps/trial_spec.h"
#include "worker/models/architecture.h"
#include "worker/models/base.h"
#include "worker/models/head.h"

namespace ranksweep::worker {

// A parameter or buffer and where it belongs.
struct NamedTensor {
  std::string name;  // in the base as in the reference; in the head "head.dense.0.weight", ...
  torch::Tensor tensor;
  int block = 0;  // of the base, counted from 0; the head is the block after the last
};

// The head of a trial. Its weights are a function of spec.seed alone, whether or not the base is
// ever built. Throws std::invalid_argument for an unknown architecture, c10::Error when the images
// are smaller than sweeps::Architecture::smallest_size.
std::shared_ptr<Head> make_head(const sweeps::TrialSpec& spec, int classes);

// The classifier of a trial: an architecture's convolutional base and a head.
class Model {
 public:
  // The base's weights are a function of spec.seed alone, too; spec.weights is not read. Throws as
  // make_head(), and std::invalid_argument for an unknown block.
  Model(const sweeps::TrialSpec& spec, int classes) : Model(spec, make_head(spec, classes)) {}
  Model(const sweeps::TrialSpec& spec, std::shared_ptr<Head> head);

  Base& base() { return *base_; }
  Head& head() { return *head_; }
  int base_blocks() const { return base_->block_count(); }

  torch::Tensor forward(const torch::Tensor& images) { return head_->forward(pooled(images)); }
  torch::Tensor pooled(const torch::Tensor& images) { return head_->pool(base_->forward(images)); }

  void train(bool on);
  void to(torch::Device device, torch::MemoryFormat format);

  // Parameters and buffers in a fixed order: base block by block, then the head.
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  std::int64_t parameter_count() const;

 private:
  std::shared_ptr<Base> base_ = std::make_shared<Base>();
  std::shared_ptr<Head> head_;
  std::vector<NamedTensor> tensors_;
};

// The tensors of a head under the names that they have in a model; their block is 0.
std::vector<NamedTensor> tensors_of(const Head& head);

// How many blocks of `model`'s base are frozen in `epoch` (counted from 1).
int frozen_blocks(const sweeps::TrialSpec& spec, Model& model, int epoch);

}  // namespace ranksweep::worker
