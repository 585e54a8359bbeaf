#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "sweeps/trial_spec.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {

// Parameters that share a learning rate.
struct ParameterGroup {
  std::string name;
  NamedTensors parameters;
  double learning_rate = 0;
  std::int64_t steps = 0;
};

// The optimizers with the formulas and defaults of Keras 3. With gradient g (plus weight_decay * w,
// except for AdamW), learning rate r, momentum u, step t:
//
//     rmsprop  v = 0.9 v + 0.1 g^2;  d = r g / sqrt(v + 1e-7);  w -= d
//              with momentum  m = u m + d;  w -= m
//     sgd      w -= r g
//              with momentum  m = u m - r g;  w += m
//     adam     m = 0.9 m + 0.1 g;  v = 0.999 v + 0.001 g^2
//              w -= r sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-7)
//     adamw    w -= r weight_decay w, then as adam
//
// RMSprop's epsilon stands inside of the root, where Keras has it and PyTorch has not: there, 1e-7
// bounds the step of a parameter with a vanishing gradient to 3162 r g instead of 10^7 r g.
class Optimizer {
 public:
  Optimizer(const sweeps::TrialSpec& spec, std::vector<ParameterGroup> groups);

  std::vector<ParameterGroup>& groups() { return groups_; }
  // Updates the groups whose parameters require gradients and have them.
  void step();
  void zero_gradients();
  // Those that there are.
  std::vector<torch::Tensor> gradients() const;
  // The running averages, named "optimizer.second.layer1.0.conv1.weight" and the like.
  NamedTensors state() const;

 private:
  using List = std::vector<torch::Tensor>;
  struct Slots {  // one tensor a parameter; empty when the optimizer needs none
    List first;
    List second;
  };

  void update_rmsprop(const List& weights, const List& gradients, Slots& slots, double rate);
  void update_sgd(const List& weights, const List& gradients, Slots& slots, double rate);
  void update_adam(const List& weights, const List& gradients, Slots& slots, double rate,
                   std::int64_t steps);

  sweeps::Optimizer kind_;
  double momentum_;
  double weight_decay_;
  std::vector<ParameterGroup> groups_;
  std::vector<Slots> slots_;
};

}  // namespace ranksweep::worker
