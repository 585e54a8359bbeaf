#include "worker/training/optimizer.h"

#include <cmath>
#include <utility>

#include <ATen/Parallel.h>

#include "worker/training/rmsprop_cpu.h"

namespace ranksweep::worker {
namespace {

constexpr double kEpsilon = 1e-7;
constexpr double kRho = 0.9;
constexpr std::int64_t kPartForThread = 1 << 18;  // numbers; fewer are not worth a thread's waking
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;

std::vector<torch::Tensor> zeros_like(const NamedTensors& parameters) {
  std::vector<torch::Tensor> zeros;
  for (const auto& [name, parameter] : parameters) {
    zeros.push_back(torch::zeros_like(parameter, parameter.options().requires_grad(false)));
  }
  return zeros;
}

// The three lie in memory alike, and without gaps.
void update_rmsprop_on_cpu(const torch::Tensor& weights, const torch::Tensor& gradients,
                           const torch::Tensor& averages, double rate) {
  const torch::Tensor gradient = gradients.strides() == weights.strides()
                                     ? gradients
                                     : torch::empty_like(weights).copy_(gradients);
  const RmspropStep step = {.rho = kRho, .epsilon = kEpsilon, .rate = static_cast<float>(rate)};
  const auto* from = gradient.const_data_ptr<float>();
  auto* second = averages.mutable_data_ptr<float>();
  auto* to = weights.mutable_data_ptr<float>();
  at::parallel_for(0, weights.numel(), kPartForThread, [&](std::int64_t begin, std::int64_t end) {
    rmsprop_on_cpu(step, from + begin, second + begin, to + begin, end - begin);
  });
}

}  // namespace

Optimizer::Optimizer(const sweeps::TrialSpec& spec, std::vector<ParameterGroup> groups)
    : kind_(spec.optimizer),
      momentum_(spec.momentum),
      weight_decay_(spec.weight_decay),
      groups_(std::move(groups)) {
  using Kind = sweeps::Optimizer;
  const bool adam = kind_ == Kind::adam || kind_ == Kind::adamw;
  for (const auto& group : groups_) {
    Slots slots;
    if (adam || momentum_ != 0) slots.first = zeros_like(group.parameters);
    if (adam || kind_ == Kind::rmsprop) slots.second = zeros_like(group.parameters);
    slots_.push_back(std::move(slots));
  }
}

void Optimizer::step() {
  torch::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    ParameterGroup& group = groups_[i];
    if (group.parameters.empty() || !group.parameters[0].second.grad().defined()) continue;
    List weights;
    List gradients;
    for (const auto& [name, parameter] : group.parameters) {
      weights.push_back(parameter);
      gradients.push_back(parameter.grad());
    }
    ++group.steps;
    const double rate = group.learning_rate;
    if (kind_ == sweeps::Optimizer::adamw) {
      at::_foreach_mul_(weights, 1 - rate * weight_decay_);
    } else if (weight_decay_ != 0) {
      at::_foreach_add_(gradients, weights, weight_decay_);
    }
    switch (kind_) {
      case sweeps::Optimizer::rmsprop:
        update_rmsprop(weights, gradients, slots_[i], rate);
        break;
      case sweeps::Optimizer::sgd:
        update_sgd(weights, gradients, slots_[i], rate);
        break;
      case sweeps::Optimizer::adam:
      case sweeps::Optimizer::adamw:
        update_adam(weights, gradients, slots_[i], rate, group.steps);
        break;
    }
  }
}

void Optimizer::update_rmsprop(const List& weights, const List& gradients, Slots& slots,
                               double rate) {
  const bool plain = weights[0].is_cpu() && weights[0].scalar_type() == torch::kFloat32;
  if (plain && momentum_ == 0) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      update_rmsprop_on_cpu(weights[i], gradients[i], slots.second[i], rate);
    }
    return;
  }
  at::_foreach_mul_(slots.second, kRho);
  at::_foreach_addcmul_(slots.second, gradients, gradients, 1 - kRho);
  const List divisors = at::_foreach_add(slots.second, kEpsilon);
  at::_foreach_sqrt_(divisors);
  if (momentum_ == 0) {
    at::_foreach_addcdiv_(weights, gradients, divisors, -rate);
    return;
  }
  at::_foreach_mul_(slots.first, momentum_);
  at::_foreach_addcdiv_(slots.first, gradients, divisors, rate);
  at::_foreach_sub_(weights, slots.first);
}

void Optimizer::update_sgd(const List& weights, const List& gradients, Slots& slots, double rate) {
  if (momentum_ == 0) {
    at::_foreach_add_(weights, gradients, -rate);
    return;
  }
  at::_foreach_mul_(slots.first, momentum_);
  at::_foreach_add_(slots.first, gradients, -rate);
  at::_foreach_add_(weights, slots.first);
}

void Optimizer::update_adam(const List& weights, const List& gradients, Slots& slots, double rate,
                            std::int64_t steps) {
  const auto t = static_cast<double>(steps);
  const double corrected = rate * std::sqrt(1 - std::pow(kBeta2, t)) / (1 - std::pow(kBeta1, t));
  at::_foreach_mul_(slots.first, kBeta1);
  at::_foreach_add_(slots.first, gradients, 1 - kBeta1);
  at::_foreach_mul_(slots.second, kBeta2);
  at::_foreach_addcmul_(slots.second, gradients, gradients, 1 - kBeta2);
  const List divisors = at::_foreach_sqrt(slots.second);
  at::_foreach_add_(divisors, kEpsilon);
  at::_foreach_addcdiv_(weights, slots.first, divisors, -corrected);
}

void Optimizer::zero_gradients() {
  for (auto& group : groups_) {
    for (auto& [name, parameter] : group.parameters) parameter.mutable_grad().reset();
  }
}

std::vector<torch::Tensor> Optimizer::gradients() const {
  std::vector<torch::Tensor> gradients;
  for (const auto& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  return gradients;
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const auto append = [&, &group = groups_[i]](const std::string& slot, const List& tensors) {
      for (std::size_t j = 0; j < tensors.size(); ++j) {
        state.emplace_back("optimizer." + slot + "." + group.parameters[j].first, tensors[j]);
      }
    };
    append("first", slots_[i].first);
    append("second", slots_[i].second);
  }
  return state;
}

}  // namespace ranksweep::worker
