#include "worker/models/architecture.h"

// Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2015, in the form of
// torchvision's inception_v3, whose names it bears. The auxiliary classifier is left out: it hangs
// on the training of 1000 classes from nothing, and a head of ours takes the classifier's place.
namespace ranksweep::worker {
namespace {

constexpr double kEpsilon = 1e-3;

// Makes the convolutions of one block, all named below `prefix`.
struct Maker {
  Base& net;
  std::string prefix;

  Layer operator()(const std::string& name, const Conv& options) const {
    return net.conv_bn_relu(prefix.empty() ? name : prefix + "." + name, options, kEpsilon);
  }
};

// Kernels of 1 x n and n x 1, padded to keep the size.
Conv wide(int in, int out, int n) { return Conv(in, out, {1, n}).padding({0, n / 2}); }
Conv tall(int in, int out, int n) { return Conv(in, out, {n, 1}).padding({n / 2, 0}); }
Conv square(int in, int out, int n) { return Conv(in, out, n).padding(n / 2); }
Conv halving(int in, int out) { return Conv(in, out, 3).stride(2); }

Layer pool_path(const Maker& conv, int in, int out) {
  return sequence(
      {average_pool(3, 1, 1, PaddingInMean::counted), conv("branch_pool", square(in, out, 1))});
}

Layer inception_a(const Maker& conv, int in, int pool_features) {
  return concatenate(
      {conv("branch1x1", square(in, 64, 1)),
       sequence({conv("branch5x5_1", square(in, 48, 1)), conv("branch5x5_2", square(48, 64, 5))}),
       sequence({conv("branch3x3dbl_1", square(in, 64, 1)),
                 conv("branch3x3dbl_2", square(64, 96, 3)),
                 conv("branch3x3dbl_3", square(96, 96, 3))}),
       pool_path(conv, in, pool_features)});
}

Layer inception_b(const Maker& conv, int in) {
  return concatenate({conv("branch3x3", halving(in, 384)),
                      sequence({conv("branch3x3dbl_1", square(in, 64, 1)),
                                conv("branch3x3dbl_2", square(64, 96, 3)),
                                conv("branch3x3dbl_3", halving(96, 96))}),
                      max_pool(3, 2)});
}

Layer inception_c(const Maker& conv, int in, int width) {
  return concatenate({conv("branch1x1", square(in, 192, 1)),
                      sequence({conv("branch7x7_1", square(in, width, 1)),
                                conv("branch7x7_2", wide(width, width, 7)),
                                conv("branch7x7_3", tall(width, 192, 7))}),
                      sequence({conv("branch7x7dbl_1", square(in, width, 1)),
                                conv("branch7x7dbl_2", tall(width, width, 7)),
                                conv("branch7x7dbl_3", wide(width, width, 7)),
                                conv("branch7x7dbl_4", tall(width, width, 7)),
                                conv("branch7x7dbl_5", wide(width, 192, 7))}),
                      pool_path(conv, in, 192)});
}

Layer inception_d(const Maker& conv, int in) {
  return concatenate(
      {sequence({conv("branch3x3_1", square(in, 192, 1)), conv("branch3x3_2", halving(192, 320))}),
       sequence({conv("branch7x7x3_1", square(in, 192, 1)),
                 conv("branch7x7x3_2", wide(192, 192, 7)), conv("branch7x7x3_3", tall(192, 192, 7)),
                 conv("branch7x7x3_4", halving(192, 192))}),
       max_pool(3, 2)});
}

Layer inception_e(const Maker& conv, int in) {
  return concatenate({conv("branch1x1", square(in, 320, 1)),
                      sequence({conv("branch3x3_1", square(in, 384, 1)),
                                concatenate({conv("branch3x3_2a", wide(384, 384, 3)),
                                             conv("branch3x3_2b", tall(384, 384, 3))})}),
                      sequence({conv("branch3x3dbl_1", square(in, 448, 1)),
                                conv("branch3x3dbl_2", square(448, 384, 3)),
                                concatenate({conv("branch3x3dbl_3a", wide(384, 384, 3)),
                                             conv("branch3x3dbl_3b", tall(384, 384, 3))})}),
                      pool_path(conv, in, 192)});
}

void build(Base& net) {
  const Maker stem{net, ""};
  net.block("stem",
            sequence({stem("Conv2d_1a_3x3", halving(3, 32)), stem("Conv2d_2a_3x3", Conv(32, 32, 3)),
                      stem("Conv2d_2b_3x3", square(32, 64, 3)), max_pool(3, 2),
                      stem("Conv2d_3b_1x1", Conv(64, 80, 1)),
                      stem("Conv2d_4a_3x3", Conv(80, 192, 3)), max_pool(3, 2)}));
  const auto mixed = [&](const std::string& name, auto make, auto... arguments) {
    net.block(name, make(Maker{net, name}, arguments...));
  };
  mixed("Mixed_5b", inception_a, 192, 32);
  mixed("Mixed_5c", inception_a, 256, 64);
  mixed("Mixed_5d", inception_a, 288, 64);
  mixed("Mixed_6a", inception_b, 288);
  mixed("Mixed_6b", inception_c, 768, 128);
  mixed("Mixed_6c", inception_c, 768, 160);
  mixed("Mixed_6d", inception_c, 768, 160);
  mixed("Mixed_6e", inception_c, 768, 192);
  mixed("Mixed_7a", inception_d, 768);
  mixed("Mixed_7b", inception_e, 1280);
  mixed("Mixed_7c", inception_e, 2048);
}

}  // namespace

Architecture inception_v3() {
  return {.name = "inception_v3",
          .build = build,
          .normalization = sweeps::Normalization::minus1_1,
          .reference_head = {"fc.", "AuxLogits."}};
}

}  // namespace ranksweep::worker
