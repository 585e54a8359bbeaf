#include "worker/export/torchscript.h"

#include <sstream>
#include <string>
#include <vector>

#include <ATen/autocast_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include "worker/training/normalize.h"

namespace ranksweep::worker {
namespace {

using torch::jit::IValue;
using torch::jit::Module;

// The steps before the network. taps() and resize() do in whole numbers what
// worker/data/resize.cc does, as matrix products: a row of taps() has the weights, in units of
// 1 / 2^14, of all inputs for one output. Doubles hold the numbers exactly, and unlike integers can
// be multiplied on every device.
constexpr const char* kPreprocessing = R"(
def taps(self, inputs: int, outputs: int, device: Device):
    reach = 2 * max(inputs, outputs)
    output = torch.arange(outputs, device=device).unsqueeze(1)
    input = torch.arange(inputs, device=device).unsqueeze(0)
    distance = ((2 * input + 1) * outputs - (2 * output + 1) * inputs).abs()
    height = (reach - distance).clamp(min=0)
    total = height.sum(1, keepdim=True)
    weights = torch.div(height * 16384, total, rounding_mode="floor")
    # What rounding down left over goes to the highest input, the first of several.
    highest = (height * inputs - input).argmax(1, keepdim=True)
    rest = 16384 - weights.sum(1, keepdim=True)
    return weights.scatter_add(1, highest, rest).double()

def resize(self, images: Tensor) -> Tensor:
    count, height, width = images.size(0), images.size(1), images.size(2)
    rows, columns = self.image_size[0], self.image_size[1]
    if height == rows and width == columns:
        return images
    values = images.double().reshape(count, height, width * 3)
    values = torch.matmul(self.taps(height, rows, images.device), values)
    values = torch.floor((values + 128) / 256).reshape(count, rows, width, 3)
    values = torch.matmul(self.taps(width, columns, images.device), values)
    return torch.floor((values + 524288) / 1048576)

def forward(self, images: Tensor) -> Tensor:
    is_batch = images.dim() == 4 and images.size(3) == 3 and images.dtype == 0  # torch.uint8
    assert is_batch, "images must be uint8 of shape [N, height, width, 3], RGB"
    pixels = self.resize(images.to(self.factor.device)).float()
    if self.bgr:
        pixels = pixels.flip([3])
    return self.network.forward((pixels * self.factor + self.offset).permute([0, 3, 1, 2]))
)";

torch::Tensor row_of(const std::array<float, 3>& values) {
  return torch::tensor(at::ArrayRef<float>(values));
}

// Makes the modules on the way to a dotted name and returns the last part.
std::string descend(Module& module, const std::string& name) {
  std::istringstream parts(name);
  std::string part, next;
  std::getline(parts, part, '.');
  while (std::getline(parts, next, '.')) {
    if (!module.hasattr(part)) module.register_module(part, Module("Part"));
    module = module.attr(part).toModule();
    part = next;
  }
  return part;
}

Module with_tensors_of(Model& model) {
  Module network("Network");
  for (const auto& [name, tensor, block] : model.tensors()) {
    Module owner = network;
    const std::string last = descend(owner, name);
    owner.register_parameter(last, tensor, !tensor.requires_grad());
  }
  return network;
}

// Records what the model does to one batch. No operation in it depends on the number of images.
Module trace_network(TrainedModel& model) {
  Module network = with_tensors_of(model.network());
  const auto [height, width] = model.image_size();
  const auto forward = [&](torch::jit::Stack inputs) -> torch::jit::Stack {
    return {model.probabilities(inputs.at(0).toTensor())};
  };
  const auto no_names = [](const torch::Tensor&) { return std::string(); };
  at::autocast::set_autocast_cache_enabled(false);  // or weights would be cast outside the trace
  const auto state =
      torch::jit::tracer::trace({torch::zeros({2, 3, height, width})}, forward, no_names,
                                /*strict=*/true, /*force_outplace=*/false, &network, {"images"})
          .first;
  at::autocast::set_autocast_cache_enabled(true);
  const auto function = network._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*network.type()->name(), "forward"), state->graph);
  network.type()->addMethod(function);
  return network;
}

}  // namespace

torch::jit::Module to_torchscript(TrainedModel& model) {
  const torch::NoGradGuard no_gradients;
  Module module("Classifier");
  const auto [height, width] = model.image_size();
  module.register_attribute("classes", c10::ListType::ofStrings(), IValue(model.classes()));
  module.register_attribute("image_size", c10::ListType::ofInts(),
                            IValue(std::vector<std::int64_t>{height, width}));
  const PixelScaling scaling = pixel_scaling(model.normalization());
  module.register_attribute("bgr", c10::BoolType::get(), IValue(scaling.bgr));
  module.register_buffer("factor", row_of(scaling.factor));
  module.register_buffer("offset", row_of(scaling.offset));
  module.register_module("network", trace_network(model));
  module.define(kPreprocessing);
  module.eval();
  return module;
}

}  // namespace ranksweep::worker
