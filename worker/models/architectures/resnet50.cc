#include <utility>

#include "worker/models/architecture.h"

// He et al., Deep Residual Learning for Image Recognition, 2015, in the form of torchvision's
// resnet50: the stride lies on the 3 x 3 convolution. Names are torchvision's.
namespace ranksweep::worker {
namespace {

constexpr int kExpansion = 4;

// Convolution CONV without bias, then batch normalisation BN.
Layer conv_bn(Base& net, const std::string& conv, const std::string& bn, const Conv& options) {
  return sequence({net.convolution(conv, Conv(options).bias(false)),
                   net.batch_norm(bn, static_cast<int>(options.out_channels()))});
}

Layer bottleneck(Base& net, const std::string& name, int in, int width, int stride) {
  const int out = kExpansion * width;
  const Layer residual =
      sequence({conv_bn(net, name + ".conv1", name + ".bn1", Conv(in, width, 1)), relu(),
                conv_bn(net, name + ".conv2", name + ".bn2",
                        Conv(width, width, 3).stride(stride).padding(1)),
                relu(), conv_bn(net, name + ".conv3", name + ".bn3", Conv(width, out, 1))});
  if (in == out && stride == 1) return sequence({add(residual), relu()});
  const Layer shortcut =
      conv_bn(net, name + ".downsample.0", name + ".downsample.1", Conv(in, out, 1).stride(stride));
  return sequence({add(residual, shortcut), relu()});
}

void build(Base& net) {
  net.block("stem", sequence({conv_bn(net, "conv1", "bn1", Conv(3, 64, 7).stride(2).padding(3)),
                              relu(), max_pool(3, 2, 1)}));
  int in = 64;
  const std::array<int, 4> depths = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const std::string name = "layer" + std::to_string(stage + 1);
    const int width = 64 << stage;
    std::vector<Layer> layers;
    for (int i = 0; i < depths[stage]; ++i) {
      const int stride = stage > 0 && i == 0 ? 2 : 1;
      layers.push_back(bottleneck(net, name + "." + std::to_string(i), in, width, stride));
      in = kExpansion * width;
    }
    net.block(name, sequence(std::move(layers)));
  }
}

}  // namespace

Architecture resnet50() {
  return {.name = "resnet50",
          .build = build,
          .normalization = sweeps::Normalization::imagenet,
          .reference_head = {"fc."}};
}

}  // namespace ranksweep::worker
