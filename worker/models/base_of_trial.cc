#include "worker/models/base_of_trial.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "sweeps/architectures.h"
#include "worker/models/architecture.h"
#include "worker/models/scripted_base.h"

namespace ranksweep::worker {
namespace {

// A file is as large as its network, and asked about for each trial and each batch.
template <typename Key, typename Value>
class Remembered {
 public:
  template <typename Find>
  Value get(const Key& key, Find find) {
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find(key);
    return found != values_.end() ? found->second : values_.emplace(key, find()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<Key, Value> values_;
};

// What stands for the content of a trial's file.
std::string content_of(const sweeps::TrialSpec& spec) {
  return spec.weights_hash ? *spec.weights_hash : spec.weights.value();
}

}  // namespace

void build_base(const sweeps::TrialSpec& spec, Base& base) {
  if (sweeps::is_torchscript(spec.architecture)) return build_scripted(spec.weights.value(), base);
  find_architecture(spec.architecture).build(base);
}

PassCost measure_base(const sweeps::TrialSpec& spec) {
  if (!sweeps::is_torchscript(spec.architecture)) {
    return measure(find_architecture(spec.architecture).build, spec.image_size);
  }
  static Remembered<std::pair<std::string, std::array<int, 2>>, PassCost> costs;
  return costs.get({content_of(spec), spec.image_size},
                   [&] { return measure_scripted(spec.weights.value(), spec.image_size); });
}

sweeps::Normalization own_normalization(const sweeps::TrialSpec& spec) {
  if (!sweeps::is_torchscript(spec.architecture)) {
    return find_architecture(spec.architecture).normalization;
  }
  static Remembered<std::string, sweeps::Normalization> normalizations;
  return normalizations.get(content_of(spec),
                            [&] { return normalization_of_scripted(spec.weights.value()); });
}

}  // namespace ranksweep::worker
