#include "worker/models/architecture.h"

// A small network, a design of ours: the study names a simple CNN and does not describe it. Four
// blocks of a 3 x 3 convolution, batch normalisation, ReLU and a 2 x 2 pooling; the first
// convolution takes every second pixel, which makes the network four times as quick.
// 241,184 parameters in the base.
namespace ranksweep::worker {
namespace {

void build(Base& net) {
  constexpr double kEpsilon = 1e-5;
  const std::array<int, 4> channels = {32, 64, 128, 128};
  int in = 3;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string name = "block" + std::to_string(i + 1);
    const Conv options = Conv(in, channels[i], 3).stride(i == 0 ? 2 : 1).padding(1);
    net.block(name, sequence({net.conv_bn_relu(name, options, kEpsilon), max_pool(2, 2)}));
    in = channels[i];
  }
}

}  // namespace

Architecture simple_cnn() { return {.name = "simple_cnn", .build = build}; }

}  // namespace ranksweep::worker
