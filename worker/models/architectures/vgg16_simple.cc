#include "worker/models/architecture.h"

// A simplified VGG16, a design of ours: the study names one and does not describe it. It keeps
// VGG16's five blocks of 3 x 3 convolutions with 2 x 2 poolings and its lack of batch
// normalisation. It drops the second and third convolution of every block, half of the channels,
// and the two dense layers of 4096: 1,568,576 instead of 14,714,688 parameters in the base.
namespace ranksweep::worker {
namespace {

void build(Base& net) {
  const std::array<int, 5> channels = {32, 64, 128, 256, 512};
  int in = 3;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string name = "block" + std::to_string(i + 1);
    net.block(name, sequence({net.convolution(name + ".conv", Conv(in, channels[i], 3).padding(1)),
                              relu(), max_pool(2, 2)}));
    in = channels[i];
  }
}

}  // namespace

Architecture vgg16_simple() { return {.name = "vgg16_simple", .build = build}; }

}  // namespace ranksweep::worker
