#include "worker/training/feature_store.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "sweeps/trial_id.h"
#include "worker/data/data_set.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".features";
constexpr const char* kKey = "key";
constexpr const char* kFeatures = "features";

// For eviction: this pass was wanted just now. A folder of somebody else's keeps its times.
void touch(const fs::path& file) {
  std::error_code ignored;
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
}

struct StoredFile {
  fs::path path;
  fs::file_time_type used;
  std::uint64_t bytes = 0;
};

// The passes in `folder`, and what is left of those whose writer was killed, the least recently
// used first. Other trainers may remove some meanwhile.
std::vector<StoredFile> stored_files(const fs::path& folder) {
  std::vector<StoredFile> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(kExtension) == std::string::npos) continue;
    const auto used = entry.last_write_time(error);
    const std::uint64_t bytes = error ? 0 : entry.file_size(error);
    if (!error) files.push_back({entry.path(), used, bytes});
  }
  std::ranges::sort(files, {}, &StoredFile::used);
  return files;
}

}  // namespace

FeatureStore::FeatureStore(fs::path folder, Limits limits)
    : folder_(std::move(folder)), limits_(limits) {}

torch::Tensor FeatureStore::get(const std::string& key, const Compute& compute,
                                const Waiting& waiting) {
  ++counts_.used;
  if (const auto known = recall(key)) return *known;
  try {
    create_cache_folder(folder_);
    const BuildLock lock = BuildLock::acquire(file_of(key), waiting);
    if (const auto known = recall(key)) return *known;  // another trainer computed it meanwhile
    return compute_and_keep(key, compute);
  } catch (const CacheError&) {  // nobody can share it
    ++counts_.computed;
    return remember(key, compute());
  }
}

bool FeatureStore::prepare(const std::string& key, const Compute& compute) {
  if (fs::exists(file_of(key))) return false;
  try {
    create_cache_folder(folder_);
    const auto lock = BuildLock::try_acquire(file_of(key));
    if (!lock || fs::exists(file_of(key))) return false;
    compute_and_keep(key, compute);
    return true;
  } catch (const CacheError&) {
    return false;
  }
}

fs::path FeatureStore::file_of(const std::string& key) const {
  return folder_ / (sweeps::hash_hex(key) + kExtension);
}

std::optional<torch::Tensor> FeatureStore::recall(const std::string& key) {
  const auto found = std::ranges::find(passes_, key, &Pass::key);
  std::optional<torch::Tensor> features;
  if (found != passes_.end()) {
    passes_.splice(passes_.begin(), passes_, found);
    features = found->features;
    touch(file_of(key));
  } else if (auto stored = read(key)) {
    features = remember(key, std::move(*stored));
  }
  return features;
}

std::optional<torch::Tensor> FeatureStore::read(const std::string& key) {
  const fs::path path = file_of(key);
  if (!fs::exists(path)) return std::nullopt;
  try {
    const auto file = std::make_shared<const SafetensorsFile>(path);
    verify_checksum(*file);
    const auto& [metadata, arrays, data_begin] = file->header();
    if (metadata.at(kKey) != key) throw SafetensorsError("it has another key");
    touch(path);
    const ArrayInfo& array = arrays.at(0);
    if (array.dtype != "F32") throw SafetensorsError("it has another type");
    // A view: Torch has no notion of memory that must not be written.
    auto* bytes = const_cast<std::byte*>(file->bytes(array).data());
    return torch::from_blob(
        bytes, array.shape, [file](void*) {}, torch::kFloat32);
  } catch (const std::exception& error) {
    std::cerr << path.string() << " is computed again: " << error.what() << '\n';
    return std::nullopt;
  }
}

// Whether the pass is now in the folder.
bool FeatureStore::write(const std::string& key, const torch::Tensor& features) {
  if (features.nbytes() > limits_.folder) return false;
  try {
    make_room(features.nbytes());
    write_tensors(file_of(key), {{kFeatures, features}}, {{kKey, key}});
    return true;
  } catch (const std::system_error& error) {
    std::cerr << "features are kept in memory alone: " << error.what() << '\n';
    return false;
  }
}

void FeatureStore::make_room(std::uint64_t bytes) const {
  const std::vector<StoredFile> files = stored_files(folder_);
  std::uint64_t total = bytes;
  for (const StoredFile& file : files) total += file.bytes;
  for (const StoredFile& file : files) {
    if (total <= limits_.folder) return;
    std::error_code ignored;
    fs::remove(file.path, ignored);  // those who have it mapped keep it
    total -= file.bytes;
  }
}

torch::Tensor FeatureStore::compute_and_keep(const std::string& key, const Compute& compute) {
  const torch::Tensor features = compute().to(torch::kCPU).contiguous();
  ++counts_.computed;
  // Mapped rather than as computed, so that the trainers of the node share its memory.
  if (write(key, features)) {
    if (auto stored = read(key)) return remember(key, std::move(*stored));
  }
  return remember(key, features);
}

torch::Tensor FeatureStore::remember(const std::string& key, torch::Tensor features) {
  passes_.push_front({key, features});
  std::uint64_t total = 0;
  for (const Pass& pass : passes_) total += pass.features.nbytes();
  for (auto last = passes_.end(); last != passes_.begin() && total > limits_.memory;) {
    --last;
    const bool in_use = last->features.use_count() > 1;
    if (in_use) continue;
    total -= last->features.nbytes();
    last = passes_.erase(last);
  }
  return features;
}

}  // namespace ranksweep::worker
