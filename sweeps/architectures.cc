#include "sweeps/architectures.h"

#include <algorithm>

namespace ranksweep::sweeps {

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {
      {"simple_cnn", 16, 60},     {"vgg16_simple", 32, 1000}, {"vgg16", 32, 6900},
      {"inception_v3", 75, 1300}, {"resnet50", 32, 1850},     {"inception_resnet_v2", 75, 2900},
  };
  return all;
}

const Architecture* find_architecture(const std::string& name) {
  const auto& all = architectures();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ranksweep::sweeps
