#pragma once

#include <filesystem>

namespace ranksweep::cli {

// The cache of a node's trainers on that node's own disk, for as long as any of them runs: all
// ranks of a user on the node share ranksweep-UID in the folder, and the last to leave removes it.
// What a kill leaves there, the next sweep on the node uses, and removes.
class ScratchFolder {
 public:
  // Makes it the cache of the trainers that are started from now on ($RANKSWEEP_CACHE). Throws
  // CommandError when it cannot be made in `folder`, which is made where it is not there.
  explicit ScratchFolder(const std::filesystem::path& folder);
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

 private:
  std::filesystem::path path_;
  std::filesystem::path lock_;
  int descriptor_ = -1;  // of the lock, which all that use the folder share
};

}  // namespace ranksweep::cli
