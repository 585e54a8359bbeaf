#include "worker/models/architecture.h"

// Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections on
// Learning, 2016, in the form of timm's inception_resnet_v2, whose names it bears.
namespace ranksweep::worker {
namespace {

constexpr double kEpsilon = 1e-3;

// A path of convolutions below `prefix`: several are named prefix.0, prefix.1, ..., a single one
// bears the prefix itself.
Layer path(Base& net, const std::string& prefix, const std::vector<Conv>& convolutions) {
  if (convolutions.size() == 1) return net.conv_bn_relu(prefix, convolutions[0], kEpsilon);
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    layers.push_back(net.conv_bn_relu(prefix + "." + std::to_string(i), convolutions[i], kEpsilon));
  }
  return sequence(layers);
}

Conv square(int in, int out, int n) { return Conv(in, out, n).padding(n / 2); }
Conv wide(int in, int out, int n) { return Conv(in, out, {1, n}).padding({0, n / 2}); }
Conv tall(int in, int out, int n) { return Conv(in, out, {n, 1}).padding({n / 2, 0}); }
Conv halving(int in, int out) { return Conv(in, out, 3).stride(2); }

Layer mixed_5b(Base& net, const std::string& name) {
  return concatenate(
      {path(net, name + ".branch0", {square(192, 96, 1)}),
       path(net, name + ".branch1", {square(192, 48, 1), square(48, 64, 5)}),
       path(net, name + ".branch2", {square(192, 64, 1), square(64, 96, 3), square(96, 96, 3)}),
       sequence({average_pool(3, 1, 1, PaddingInMean::left_out),
                 path(net, name + ".branch3.1", {square(192, 64, 1)})})});
}

Layer mixed_6a(Base& net, const std::string& name) {
  return concatenate(
      {path(net, name + ".branch0", {halving(320, 384)}),
       path(net, name + ".branch1", {square(320, 256, 1), square(256, 256, 3), halving(256, 384)}),
       max_pool(3, 2)});
}

Layer mixed_7a(Base& net, const std::string& name) {
  return concatenate(
      {path(net, name + ".branch0", {square(1088, 256, 1), halving(256, 384)}),
       path(net, name + ".branch1", {square(1088, 256, 1), halving(256, 288)}),
       path(net, name + ".branch2", {square(1088, 256, 1), square(256, 288, 3), halving(288, 320)}),
       max_pool(3, 2)});
}

// x + scale * conv2d(the branches, joined).
Layer residual(Base& net, const std::string& name, const std::vector<std::vector<Conv>>& branches,
               double scale) {
  std::vector<Layer> paths;
  std::int64_t joined = 0;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    paths.push_back(path(net, name + ".branch" + std::to_string(i), branches[i]));
    joined += branches[i].back().out_channels();
  }
  const std::int64_t channels = branches[0][0].in_channels();
  return add(
      sequence({concatenate(paths), net.convolution(name + ".conv2d", Conv(joined, channels, 1))}),
      scale);
}

Layer block35(Base& net, const std::string& name) {
  return residual(net, name,
                  {{square(320, 32, 1)},
                   {square(320, 32, 1), square(32, 32, 3)},
                   {square(320, 32, 1), square(32, 48, 3), square(48, 64, 3)}},
                  0.17);
}

Layer block17(Base& net, const std::string& name) {
  return residual(
      net, name,
      {{square(1088, 192, 1)}, {square(1088, 128, 1), wide(128, 160, 7), tall(160, 192, 7)}}, 0.10);
}

Layer block8(Base& net, const std::string& name, double scale) {
  return residual(
      net, name,
      {{square(2080, 192, 1)}, {square(2080, 192, 1), wide(192, 224, 3), tall(224, 256, 3)}},
      scale);
}

// `count` residual blocks below `name`, a ReLU after each.
template <class... Arguments>
void repeat(Base& net, const std::string& name, int count,
            Layer (*make)(Base&, const std::string&, Arguments...), Arguments... arguments) {
  std::vector<Layer> layers;
  for (int i = 0; i < count; ++i) {
    layers.push_back(make(net, name + "." + std::to_string(i), arguments...));
    layers.push_back(relu());
  }
  net.block(name, sequence(layers));
}

void build(Base& net) {
  const auto conv = [&](const std::string& name, const Conv& options) {
    return net.conv_bn_relu(name, options, kEpsilon);
  };
  net.block("stem", sequence({conv("conv2d_1a", halving(3, 32)), conv("conv2d_2a", Conv(32, 32, 3)),
                              conv("conv2d_2b", square(32, 64, 3)), max_pool(3, 2),
                              conv("conv2d_3b", Conv(64, 80, 1)),
                              conv("conv2d_4a", Conv(80, 192, 3)), max_pool(3, 2)}));
  net.block("mixed_5b", mixed_5b(net, "mixed_5b"));
  repeat(net, "repeat", 10, block35);
  net.block("mixed_6a", mixed_6a(net, "mixed_6a"));
  repeat(net, "repeat_1", 20, block17);
  net.block("mixed_7a", mixed_7a(net, "mixed_7a"));
  repeat(net, "repeat_2", 9, block8, 0.20);
  net.block("block8", block8(net, "block8", 1.0));
  net.block("conv2d_7b", conv("conv2d_7b", Conv(2080, 1536, 1)));
}

}  // namespace

Architecture inception_resnet_v2() {
  return {.name = "inception_resnet_v2",
          .build = build,
          .normalization = sweeps::Normalization::minus1_1,
          .reference_head = {"classif."}};
}

}  // namespace ranksweep::worker
