#include "worker/models/architecture.h"

#include <algorithm>
#include <stdexcept>

// One line an architecture, in the order in which people see them.
#define RANKSWEEP_ARCHITECTURES(ENTRY) \
  ENTRY(simple_cnn)                    \
  ENTRY(vgg16_simple)                  \
  ENTRY(vgg16)                         \
  ENTRY(inception_v3)                  \
  ENTRY(resnet50)                      \
  ENTRY(inception_resnet_v2)

namespace ranksweep::worker {

#define RANKSWEEP_DECLARE(name) Architecture name();
RANKSWEEP_ARCHITECTURES(RANKSWEEP_DECLARE)
#undef RANKSWEEP_DECLARE

const std::vector<Architecture>& architectures() {
#define RANKSWEEP_CALL(name) name(),
  static const std::vector<Architecture> all = {RANKSWEEP_ARCHITECTURES(RANKSWEEP_CALL)};
#undef RANKSWEEP_CALL
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
