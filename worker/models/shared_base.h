#pragma once

#include <filesystem>
#include <string>

#include "worker/models/safetensors.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {

// Checkpoints of frozen trials hold a head alone and name the file of its base, which is as large
// as thousands of heads and the same for all of them: base-HASH.safetensors beside the trials'
// directories.
class SharedBase {
 public:
  // `key`: what decides the base's weights. `directory`: the trial's own.
  SharedBase(std::filesystem::path directory, std::string key);

  bool exists() const;
  // Throws std::system_error. Trials may write at once: what they write is the same.
  void write(const NamedTensors& tensors, Metadata metadata) const;
  // The metadata by which a checkpoint in the trial's directory names the base. It has to exist.
  Metadata reference() const;

 private:
  std::filesystem::path path() const { return directory_.parent_path() / name_; }

  std::filesystem::path directory_;
  std::string key_;
  std::string name_;
};

// Whether `checkpoint` holds a head alone.
bool needs_base(const SafetensorsFile& checkpoint);

// The file of such a checkpoint's base. Throws SafetensorsError when it is not there, damaged, or
// of another base.
std::filesystem::path base_of(const SafetensorsFile& checkpoint);

}  // namespace ranksweep::worker
