#include "worker/models/architecture.h"

// Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014,
// configuration D, without batch normalisation. Names are torchvision's vgg16: the convolutions'
// places in the list "features", where each is followed by a ReLU and each block by a pooling.
// The classifier of the paper is the head {pooling: flatten, dense: [4096, 4096]} at 224 x 224.
namespace ranksweep::worker {
namespace {

void build(Base& net) {
  const std::array<std::pair<int, int>, 5> blocks = {
      // convolutions, channels
      {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}}};
  int in = 3;
  int index = 0;
  int number = 0;
  for (const auto& [convolutions, channels] : blocks) {
    std::vector<Layer> layers;
    for (int i = 0; i < convolutions; ++i) {
      layers.push_back(
          net.convolution("features." + std::to_string(index), Conv(in, channels, 3).padding(1)));
      layers.push_back(relu());
      in = channels;
      index += 2;
    }
    layers.push_back(max_pool(2, 2));
    ++index;
    net.block("block" + std::to_string(++number), sequence(layers));
  }
}

}  // namespace

Architecture vgg16() {
  return {.name = "vgg16",
          .build = build,
          .normalization = sweeps::Normalization::imagenet,
          .reference_head = {"classifier."}};
}

}  // namespace ranksweep::worker
