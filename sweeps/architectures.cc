#include "sweeps/architectures.h"

#include <algorithm>

namespace ranksweep::sweeps {

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {
      {"simple_cnn", 32, {"block1", "block2", "block3", "block4"}},
      {"vgg16_simple", 32, {"block1", "block2", "block3", "block4", "block5"}},
      {"vgg16", 32, {"block1", "block2", "block3", "block4", "block5"}},
      {"inception_v3",
       75,
       {"stem", "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d",
        "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c"}},
      {"resnet50", 32, {"stem", "layer1", "layer2", "layer3", "layer4"}},
      {"inception_resnet_v2",
       75,
       {"stem", "mixed_5b", "repeat", "mixed_6a", "repeat_1", "mixed_7a", "repeat_2", "block8",
        "conv2d_7b"}},
  };
  return all;
}

const std::vector<std::string>& architecture_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Architecture& architecture : architectures()) all.push_back(architecture.name);
    return all;
  }();
  return names;
}

const Architecture* find_architecture(const std::string& name) {
  const auto& all = architectures();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ranksweep::sweeps
