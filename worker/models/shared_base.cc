#include "worker/models/shared_base.h"

#include <utility>

#include "sweeps/trial_id.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

// In a checkpoint: the base's path, seen from the checkpoint's directory, and its checksum.
constexpr const char* kBase = "base";
constexpr const char* kBaseChecksum = "base_checksum";
constexpr const char* kKey = "key";  // in the base's file

std::string metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.header().metadata.find(key);
  return found == file.header().metadata.end() ? "" : found->second;
}

}  // namespace

SharedBase::SharedBase(fs::path directory, std::string key)
    : directory_(std::move(directory)),
      key_(std::move(key)),
      name_("base-" + sweeps::hash_hex(key_).substr(0, 16) + ".safetensors") {}

bool SharedBase::exists() const {
  if (!fs::exists(path())) return false;
  try {
    return metadata_of(SafetensorsFile(path()), kKey) == key_;
  } catch (const SafetensorsError&) {
    return false;  // damaged: written again
  }
}

// At first in the trial's own directory, where nobody else writes.
void SharedBase::write(const NamedTensors& tensors, Metadata metadata) const {
  metadata[kKey] = key_;
  const fs::path own = directory_ / name_;
  write_tensors(own, tensors, std::move(metadata));
  fs::rename(own, path());
}

Metadata SharedBase::reference() const {
  return {{kBase, (fs::path("..") / name_).string()},
          {kBaseChecksum, checksum_of(SafetensorsFile(path()))}};
}

bool needs_base(const SafetensorsFile& checkpoint) {
  return checkpoint.header().metadata.contains(kBase);
}

fs::path base_of(const SafetensorsFile& checkpoint) {
  fs::path path =
      (checkpoint.path().parent_path() / metadata_of(checkpoint, kBase)).lexically_normal();
  if (!fs::exists(path)) {
    throw SafetensorsError("it holds the head alone, and the file of its base is not there: " +
                           path.string() + "; copy that along with it");
  }
  const SafetensorsFile file(path);
  verify_checksum(file);
  if (checksum_of(file) != metadata_of(checkpoint, kBaseChecksum)) {
    throw SafetensorsError("its head was trained on another base than the one in " + path.string());
  }
  return path;
}

}  // namespace ranksweep::worker
