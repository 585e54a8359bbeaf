#include "worker/models/base.h"

#include <utility>

namespace ranksweep::worker {
namespace {

// The module that holds the last part of the dotted `name`, made where it is not there yet.
std::pair<torch::nn::Module*, std::string> find_parent(torch::nn::Module& root,
                                                       const std::string& name) {
  torch::nn::Module* parent = &root;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string part = name.substr(begin, dot - begin);
    const auto children = parent->named_children();
    const auto* child = children.find(part);
    parent = child ? child->get()
                   : parent->register_module(part, std::make_shared<torch::nn::Module>()).get();
  }
  return {parent, name.substr(begin)};
}

}  // namespace

template <class ModuleHolder>
ModuleHolder Base::add_module(const std::string& name, ModuleHolder module) {
  const auto [parent, own_name] = find_parent(*this, name);
  parent->register_module(own_name, module.ptr());
  open_block_.push_back(module.ptr());
  return module;
}

Layer Base::convolution(const std::string& name, Conv options) {
  auto module = add_module(name, torch::nn::Conv2d(std::move(options)));
  torch::nn::init::kaiming_normal_(module->weight, 0.0, torch::kFanOut, torch::kReLU);
  if (module->bias.defined()) torch::nn::init::zeros_(module->bias);
  return [this, module](const torch::Tensor& x) mutable {
    torch::Tensor y = module(x);
    if (cost_) {
      const auto products_a_value = module->weight.numel() / module->weight.size(0);
      cost_->multiply_adds += y.numel() * products_a_value;
      cost_->activations += y.numel();
    }
    return y;
  };
}

Layer Base::batch_norm(const std::string& name, int channels, double epsilon) {
  auto module = add_module(
      name, torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels).eps(epsilon)));
  return [this, module](const torch::Tensor& x) mutable {
    torch::Tensor y = module(x);
    if (cost_) cost_->activations += y.numel();
    return y;
  };
}

Layer Base::conv_bn_relu(const std::string& name, const Conv& options, double epsilon) {
  return sequence({convolution(name + ".conv", Conv(options).bias(false)),
                   batch_norm(name + ".bn", static_cast<int>(options.out_channels()), epsilon),
                   relu()});
}

void Base::block(const std::string& name, Layer layer) {
  blocks_.push_back({name, std::exchange(open_block_, {}), std::move(layer)});
}

torch::Tensor Base::forward(torch::Tensor images) {
  torch::Tensor x = std::move(images);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool frozen = static_cast<int>(i) < frozen_blocks_;
    torch::AutoGradMode with_gradients(!frozen && torch::GradMode::is_enabled());
    x = blocks_[i].layer(std::move(x));
  }
  return x;
}

void Base::freeze(int blocks) {
  frozen_blocks_ = blocks;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool frozen = static_cast<int>(i) < frozen_blocks_;
    for (const auto& module : blocks_[i].modules) {
      for (auto& parameter : module->parameters()) {
        parameter.requires_grad_(!frozen);
        if (frozen) parameter.mutable_grad().reset();
      }
    }
  }
  train(is_training());
}

void Base::train(bool on) {
  torch::nn::Module::train(on);
  for (int i = 0; i < frozen_blocks_; ++i) {
    for (const auto& module : blocks_[i].modules) module->eval();
  }
}

std::pair<std::array<std::int64_t, 3>, PassCost> Base::measure(std::array<int, 2> image_size) {
  torch::NoGradGuard no_gradients;
  to(torch::kMeta);
  eval();
  PassCost cost;
  cost_ = &cost;
  const torch::Tensor features =
      forward(torch::empty({1, 3, image_size[0], image_size[1]}, torch::kMeta));
  cost_ = nullptr;
  return {{features.size(1), features.size(2), features.size(3)}, cost};
}

}  // namespace ranksweep::worker
