#include "worker/models/scripted_base.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>
#include <torch/version.h>

#include "sweeps/trial_values.h"
#include "worker/models/module_path.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFacts = "ranksweep.json";

struct ScriptFile {
  torch::jit::Module module;
  nlohmann::json facts;
};

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw std::invalid_argument(file.string() + " " + reason);
}

std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

// What comes after TorchScript's traceback.
std::string last_error(const std::string& text) {
  const std::string mark = "Error: ";
  const std::size_t at = text.rfind(mark);
  return at == std::string::npos ? text : text.substr(at + mark.size());
}

bool says_what_it_is(const nlohmann::json& facts) {
  if (!facts.is_object()) return false;
  const auto size = facts.value("image_size", nlohmann::json());
  return size.is_array() && size.size() == 2 && size[0].is_number() && size[1].is_number() &&
         facts.value("multiply_adds", nlohmann::json()).is_number() &&
         facts.value("activations", nlohmann::json()).is_number() &&
         facts.value("normalization", nlohmann::json()).is_string();
}

ScriptFile load(const fs::path& file) {
  torch::jit::ExtraFilesMap extra = {{kFacts, ""}};
  ScriptFile loaded;
  try {
    loaded.module = torch::jit::load(file.string(), torch::kCPU, extra);
  } catch (const c10::Error& error) {
    refuse(file,
           "is no TorchScript file that LibTorch " TORCH_VERSION " can read: " + first_line(error));
  }
  loaded.facts = nlohmann::json::parse(extra[kFacts], nullptr, /*allow_exceptions=*/false);
  if (!says_what_it_is(loaded.facts)) {
    refuse(file, "is TorchScript, but does not say in " + std::string(kFacts) +
                     " what it is; write it with tools/export_architecture.py");
  }
  return loaded;
}

// Runs it operation by operation. Torch would otherwise watch the first passes and then rewrite the
// network, so that an attempt that goes on would compute other bits than one that was never
// interrupted.
torch::Tensor run(torch::jit::Module& module, const torch::Tensor& images) {
  const torch::jit::GraphOptimizerEnabledGuard as_it_is(false);
  return module.forward({images}).toTensor();
}

// A TorchScript module with its tensors where training looks for them.
class ScriptedNetwork : public torch::nn::Module {
 public:
  explicit ScriptedNetwork(torch::jit::Module script) : script_(std::move(script)) {
    for (const auto& each : script_.named_parameters()) {
      const auto [parent, name] = find_parent(*this, each.name);
      parent->register_parameter(name, each.value, each.value.requires_grad());
    }
    for (const auto& each : script_.named_buffers()) {
      const auto [parent, name] = find_parent(*this, each.name);
      parent->register_buffer(name, each.value);
    }
  }

  void train(bool on) override {
    torch::nn::Module::train(on);
    script_.train(on);
  }

  torch::Tensor forward(const torch::Tensor& images) { return run(script_, images); }

 private:
  torch::jit::Module script_;
};

}  // namespace

void build_scripted(const fs::path& file, Base& base) {
  const auto network = std::make_shared<ScriptedNetwork>(load(file).module);
  base.module("network", network);
  base.block("network",
             [network](const torch::Tensor& images) { return network->forward(images); });
}

PassCost measure_scripted(const fs::path& file, std::array<int, 2> image_size) {
  const torch::NoGradGuard no_gradients;
  auto [module, facts] = load(file);
  module.eval();
  const auto [height, width] = image_size;
  torch::Tensor features;
  try {
    features = run(module, torch::zeros({1, 3, height, width}));
  } catch (const std::exception& error) {  // whatever the code in the file throws
    refuse(file, "cannot take images of " + std::to_string(height) + " x " + std::to_string(width) +
                     " pixels: " + last_error(error.what()));
  }
  if (features.dim() != 4 || features.size(0) != 1 || features.scalar_type() != torch::kFloat32) {
    refuse(file, "gives " + shape_text(features.sizes()) +
                     " for one image, where feature maps [1, channels, height, width] of float32 "
                     "are wanted; tools/export_architecture.py leaves the classifier out");
  }
  PassCost cost{.features = {features.size(1), features.size(2), features.size(3)}};
  for (const auto& each : module.parameters()) cost.parameters += each.numel();
  const auto [given_height, given_width] = facts["image_size"].get<std::array<double, 2>>();
  const double scale = height * width / (given_height * given_width);
  cost.multiply_adds = std::llround(facts["multiply_adds"].get<double>() * scale);
  cost.activations = std::llround(facts["activations"].get<double>() * scale);
  return cost;
}

sweeps::Normalization normalization_of_scripted(const fs::path& file) {
  const nlohmann::json name = load(file).facts["normalization"];
  const auto& known = sweeps::names_of<sweeps::Normalization>();
  if (std::ranges::find(known, name.get<std::string>()) == known.end()) {
    refuse(file, "has the normalization " + name.dump() + ", which does not exist");
  }
  sweeps::Normalization normalization{};
  sweeps::decode(name, normalization);
  return normalization;
}

}  // namespace ranksweep::worker
