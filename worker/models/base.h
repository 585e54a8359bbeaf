#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "worker/models/layer.h"
#include "worker/models/synchronized_batch_norm.h"

namespace ranksweep::worker {

// Channels, kernel, stride and padding of a convolution.
using Conv = torch::nn::Conv2dOptions;

// What one image costs a base.
struct PassCost {
  std::array<std::int64_t, 3> features = {};  // shape [C, h, w] of its feature maps
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // of convolutions
  std::int64_t activations = 0;    // numbers that the backward pass needs again
};

// A convolutional base: feature maps [N, channels, h, w] of images [N, 3, H, W]. An architecture
// builds one by registering layers under their dotted names and ending named blocks, in the order
// in which they run. The first blocks may be frozen: in evaluation mode, without gradients.
class Base : public torch::nn::Module {
 public:
  struct Block {
    std::string name;
    std::vector<std::shared_ptr<torch::nn::Module>> modules;
    Layer layer;
  };

  // Convolutions start as in He et al., Delving Deep into Rectifiers, 2015, from Torch's generator.
  // On the meta device tensors have shapes and no values.
  explicit Base(torch::Device device = torch::kCPU) : device_(device) {}

  // Building. A name such as "layer1.0.conv1" makes the modules on the way to it.
  Layer convolution(const std::string& name, const Conv& options);
  Layer batch_norm(const std::string& name, int channels, double epsilon = 1e-5);
  // Convolution without bias, batch normalisation (NAME.conv, NAME.bn), ReLU.
  Layer conv_bn_relu(const std::string& name, const Conv& options, double epsilon);
  // A module that comes whole.
  void module(const std::string& name, const std::shared_ptr<torch::nn::Module>& module);
  // What was registered since the last block belongs to this one.
  void block(const std::string& name, Layer layer);

  // Using.
  torch::Tensor forward(torch::Tensor images) { return run(std::move(images), 0, block_count()); }
  // The blocks from `first` to before `end`, on what comes out of those before them.
  torch::Tensor run(torch::Tensor x, int first, int end);
  int block_count() const { return static_cast<int>(blocks_.size()); }
  const std::vector<Block>& blocks() const { return blocks_; }
  int frozen_blocks() const { return frozen_blocks_; }
  void freeze(int blocks);  // the first `blocks`; those after them are trained
  // Batch normalisation takes the statistics of whole shared batches, of which forward() is given a
  // part. `batch` must outlive every pass.
  void share_batches(const SharedBatch& batch) { shared_batch_ = &batch; }
  void train(bool on = true) override;  // frozen blocks stay in evaluation mode

 private:
  friend PassCost measure(void (*build)(Base&), std::array<int, 2> image_size);
  std::shared_ptr<torch::nn::Module> add_module(const std::string& name);

  torch::Device device_;
  std::vector<Block> blocks_;
  std::vector<std::shared_ptr<torch::nn::Module>> open_block_;
  int frozen_blocks_ = 0;
  const SharedBatch* shared_batch_ = nullptr;
  PassCost cost_;  // of a pass on the meta device
};

// The cost of an image of that size in a base that `build` makes, found without computing or
// allocating it. Throws c10::Error when the image is too small.
PassCost measure(void (*build)(Base&), std::array<int, 2> image_size);

}  // namespace ranksweep::worker
