#include "worker/models/architecture.h"

#include <algorithm>
#include <stdexcept>

namespace ranksweep::worker {

// Each is a function in a file of its own.
#define ARCHITECTURE(name, ...) Architecture name();
#include "sweeps/architectures.inc"
#undef ARCHITECTURE

const std::vector<Architecture>& architectures() {
#define ARCHITECTURE(name, ...) name(),
  static const std::vector<Architecture> all = {
#include "sweeps/architectures.inc"
  };
#undef ARCHITECTURE
  return all;
}

const Architecture& find_architecture(const std::string& name) {
  const auto& all = architectures();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  if (found != all.end()) return *found;
  std::string names;
  for (const auto& each : all) names += (names.empty() ? "" : ", ") + each.name;
  throw std::invalid_argument("there is no architecture \"" + name + "\"; there are " + names);
}

}  // namespace ranksweep::worker
