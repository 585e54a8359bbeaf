#include "sweeps/architectures.h"

#include <algorithm>
#include <filesystem>

namespace ranksweep::sweeps {

const std::vector<Architecture>& architectures() {
#define ARCHITECTURE(name, smallest_size, ...) {#name, smallest_size, {__VA_ARGS__}},
  static const std::vector<Architecture> all = {
#include "sweeps/architectures.inc"
  };
#undef ARCHITECTURE
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

namespace {

constexpr const char* kTorchScript = "torchscript:";

}  // namespace

std::string name_of_torchscript(const std::string& file) {
  return kTorchScript + std::filesystem::path(file).stem().string();
}

bool is_torchscript(const std::string& architecture) {
  return architecture.starts_with(kTorchScript);
}

}  // namespace ranksweep::sweeps
