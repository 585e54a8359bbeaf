#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "worker/models/layer.h"

namespace ranksweep::worker {

// Channels, kernel, stride and padding of a convolution.
using Conv = torch::nn::Conv2dOptions;

// What a pass over a batch costs.
struct PassCost {
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

  // Building. A name such as "layer1.0.conv1" makes the modules on the way to it.
  Layer convolution(const std::string& name, Conv options);
  Layer batch_norm(const std::string& name, int channels, double epsilon = 1e-5);
  // Convolution without bias, batch normalisation (NAME.conv, NAME.bn), ReLU.
  Layer conv_bn_relu(const std::string& name, const Conv& options, double epsilon);
  // What was registered since the last block belongs to this one.
  void block(const std::string& name, Layer layer);

  // Using.
  torch::Tensor forward(torch::Tensor images);
  const std::vector<Block>& blocks() const { return blocks_; }
  int frozen_blocks() const { return frozen_blocks_; }
  void freeze(int blocks);              // the first `blocks`; those after them are trained
  void train(bool on = true) override;  // frozen blocks stay in evaluation mode

  // Shape [C, h, w] of the feature maps and cost of images of that size, without computing them.
  // The parameters are lost: for a base that was built for this purpose. Throws c10::Error when the
  // images are too small.
  std::pair<std::array<std::int64_t, 3>, PassCost> measure(std::array<int, 2> image_size);

 private:
  template <class ModuleHolder>
  ModuleHolder add_module(const std::string& name, ModuleHolder module);

  std::vector<Block> blocks_;
  std::vector<std::shared_ptr<torch::nn::Module>> open_block_;
  int frozen_blocks_ = 0;
  PassCost* cost_ = nullptr;  // where layers note their cost while measure() runs
};

}  // namespace ranksweep::worker
