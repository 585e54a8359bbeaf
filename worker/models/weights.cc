#include "worker/models/weights.h"

#include <algorithm>
#include <map>

#include "worker/models/shared_base.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

constexpr std::size_t kNamesShown = 8;

// "\n  missing (9): a, b, ... and 1 more", or nothing.
std::string list(const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text = "\n  " + std::string(what) + " (" + std::to_string(names.size()) + "): ";
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    text += (i ? ", " : "") + names[i];
  }
  if (names.size() > kNamesShown) {
    text += ", ... and " + std::to_string(names.size() - kNamesShown) + " more";
  }
  return text;
}

bool belongs_to_classifier(const std::string& name, const Architecture& architecture) {
  const auto begins = [&](const std::string& prefix) { return name.starts_with(prefix); };
  return begins("head.") || std::any_of(architecture.reference_head.begin(),
                                        architecture.reference_head.end(), begins);
}

// A count of batches that nothing reads, which converters from other frameworks leave out.
bool may_be_missing(const std::string& name) { return name.ends_with("num_batches_tracked"); }

}  // namespace

void load_base_weights(Model& model, const Architecture& architecture,
                       const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  if (needs_base(file)) {
    throw SafetensorsError(path.string() +
                           " is a checkpoint that holds a head alone; its base is " +
                           base_of(file).string() + ": name that as the weights");
  }
  std::map<std::string, const ArrayInfo*> arrays;
  for (const ArrayInfo& array : file.header().arrays) {
    if (!belongs_to_classifier(array.name, architecture)) arrays[array.name] = &array;
  }
  std::vector<std::string> missing;
  std::vector<std::string> unfit;
  for (const auto& [name, tensor, block] : model.tensors()) {
    if (block == model.base_blocks()) continue;
    const auto found = arrays.extract(name);
    if (found.empty()) {
      if (!may_be_missing(name)) missing.push_back(name);
      continue;
    }
    try {
      read_into(tensor, file, *found.mapped());
    } catch (const SafetensorsError& error) {
      unfit.push_back(error.what());
    }
  }
  std::vector<std::string> surplus;
  for (const auto& [name, array] : arrays) surplus.push_back(name);
  const std::string problems =
      list("missing", missing) + list("not known", surplus) + list("unfit", unfit);
  if (!problems.empty()) {
    throw SafetensorsError(path.string() + " does not hold the weights of " + architecture.name +
                           ":" + problems +
                           "\n  tools/convert_weights.py makes a fitting file from torchvision, "
                           "timm or Keras weights");
  }
}

}  // namespace ranksweep::worker
