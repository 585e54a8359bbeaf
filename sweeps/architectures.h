#pragma once

#include <string>
#include <vector>

namespace ranksweep::sweeps {

// What planning, which has no Torch, knows of an architecture: its line of architectures.inc. The
// trainer's registry is made of the same lines.
struct Architecture {
  std::string name;
  int smallest_size = 0;            // pixels of the shorter side that its base can work on
  std::vector<std::string> blocks;  // what `frozen_until` may name, from the image to the head
};

const std::vector<Architecture>& architectures();
const std::vector<std::string>& architecture_names();

// Null when there is no such architecture.
const Architecture* find_architecture(const std::string& name);

// An architecture that comes in a TorchScript file is called "torchscript:" and the file's name
// without its ending, and the file, which holds the base's weights too, is the trial's `weights`.
std::string name_of_torchscript(const std::string& file);
bool is_torchscript(const std::string& architecture);

}  // namespace ranksweep::sweeps
