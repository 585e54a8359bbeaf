#pragma once

#include <string>
#include <vector>

#include "sweeps/trial_spec.h"
#include "worker/models/base.h"

namespace ranksweep::worker {

// A convolutional base by name, and what must be known to train it; sweeps/architectures.inc
// lists them all, with what planning must know.
struct Architecture {
  std::string name;
  void (*build)(Base&);
  // How images are prepared for the published weights; without weights too, so that a trial differs
  // from another in its weights alone.
  sweeps::Normalization normalization = sweeps::Normalization::scale_0_1;
  // Names in files of published weights that start so belong to the classifier, which a head of
  // ours replaces.
  std::vector<std::string> reference_head = {};
};

// All architectures, in the order in which people see them.
const std::vector<Architecture>& architectures();

// Throws std::invalid_argument, which lists the names, when there is none called `name`.
const Architecture& find_architecture(const std::string& name);

}  // namespace ranksweep::worker
