#pragma once

#include <string>
#include <vector>

namespace ranksweep::sweeps {

// What planning knows of an architecture. The trainer's registry has the same names; a test holds
// the two together.
struct Architecture {
  std::string name;
  int smallest_size = 0;     // pixels of the shorter side that its base can work on
  double multiply_adds = 0;  // millions, one image of 150 x 150 through the base; for estimates
};

const std::vector<Architecture>& architectures();

// Null when there is no such architecture.
const Architecture* find_architecture(const std::string& name);

}  // namespace ranksweep::sweeps
