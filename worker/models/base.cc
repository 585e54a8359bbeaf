#include "worker/models/base.h"

#include <utility>

#include "worker/models/module_path.h"

namespace ranksweep::worker {
namespace {

constexpr double kMomentum = 0.1;  // of batch normalisation's running statistics

}  // namespace

std::shared_ptr<torch::nn::Module> Base::add_module(const std::string& name) {
  const auto [parent, own_name] = find_parent(*this, name);
  auto module = parent->register_module(own_name, std::make_shared<torch::nn::Module>());
  open_block_.push_back(module);
  return module;
}

Layer Base::convolution(const std::string& name, const Conv& options) {
  const auto module = add_module(name);
  const auto kernel = *options.kernel_size();
  const std::int64_t out = options.out_channels();
  const torch::Tensor weight = module->register_parameter(
      "weight", torch::empty({out, options.in_channels(), kernel[0], kernel[1]}, device_));
  torch::Tensor bias;
  if (options.bias()) bias = module->register_parameter("bias", torch::zeros(out, device_));
  if (!device_.is_meta()) torch::nn::init::kaiming_normal_(weight, 0, torch::kFanOut, torch::kReLU);

  const auto stride = *options.stride();
  const auto padding = *std::get<torch::ExpandingArray<2>>(options.padding());
  if (!device_.is_meta()) {
    return [=](const torch::Tensor& x) { return torch::conv2d(x, weight, bias, stride, padding); };
  }
  return [=, this](const torch::Tensor& x) {  // Torch has no convolution of tensors without values
    std::vector<std::int64_t> shape = {x.size(0), out};
    for (int i = 0; i < 2; ++i) {
      const std::int64_t room = x.size(2 + i) + 2 * padding[i] - kernel[i];
      TORCH_CHECK(room >= 0, "the image is too small for ", name);
      shape.push_back(room / stride[i] + 1);
    }
    torch::Tensor y = torch::empty(shape, device_);
    cost_.multiply_adds += y.numel() * (weight.numel() / out);
    cost_.activations += y.numel();
    return y;
  };
}

Layer Base::batch_norm(const std::string& name, int channels, double epsilon) {
  const auto module = add_module(name);
  const torch::Tensor weight = module->register_parameter("weight", torch::ones(channels, device_));
  const torch::Tensor bias = module->register_parameter("bias", torch::zeros(channels, device_));
  const torch::Tensor mean =
      module->register_buffer("running_mean", torch::zeros(channels, device_));
  const torch::Tensor variance =
      module->register_buffer("running_var", torch::ones(channels, device_));
  const torch::Tensor batches = module->register_buffer(
      "num_batches_tracked", torch::zeros({}, torch::dtype(torch::kInt64).device(device_)));
  if (device_.is_meta()) {
    return [this](torch::Tensor x) {
      cost_.activations += x.numel();
      return x;
    };
  }
  return [=, this](const torch::Tensor& x) {
    if (module->is_training()) batches.add_(1);
    if (module->is_training() && shared_batch_ != nullptr) {
      return synchronized_batch_norm(x, weight, bias, mean, variance, kMomentum, epsilon,
                                     *shared_batch_);
    }
    return torch::batch_norm(x, weight, bias, mean, variance, module->is_training(), kMomentum,
                             epsilon, at::globalContext().userEnabledCuDNN());
  };
}

Layer Base::conv_bn_relu(const std::string& name, const Conv& options, double epsilon) {
  return sequence({convolution(name + ".conv", Conv(options).bias(false)),
                   batch_norm(name + ".bn", static_cast<int>(options.out_channels()), epsilon),
                   relu()});
}

void Base::module(const std::string& name, const std::shared_ptr<torch::nn::Module>& module) {
  open_block_.push_back(register_module(name, module));
}

void Base::block(const std::string& name, Layer layer) {
  blocks_.push_back({name, std::exchange(open_block_, {}), std::move(layer)});
}

torch::Tensor Base::run(torch::Tensor x, int first, int end) {
  for (int i = first; i < end; ++i) {
    torch::AutoGradMode with_gradients(i >= frozen_blocks_ && torch::GradMode::is_enabled());
    x = blocks_[static_cast<std::size_t>(i)].layer(std::move(x));
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

PassCost measure(void (*build)(Base&), std::array<int, 2> image_size) {
  torch::NoGradGuard no_gradients;
  Base base(torch::kMeta);
  build(base);
  const torch::Tensor features =
      base.forward(torch::empty({1, 3, image_size[0], image_size[1]}, torch::kMeta));
  PassCost cost = base.cost_;
  cost.features = {features.size(1), features.size(2), features.size(3)};
  for (const auto& each : base.parameters()) cost.parameters += each.numel();
  return cost;
}

}  // namespace ranksweep::worker
