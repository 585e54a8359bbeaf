#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "worker/data/file_descriptor.h"

namespace ranksweep::worker {

// The folder in which the trainers of a node keep what each of them would compute alike: decoded
// images, features of frozen bases.

// $RANKSWEEP_CACHE, else $XDG_CACHE_HOME/ranksweep, else ~/.cache/ranksweep, else
// $TMPDIR/ranksweep-cache, else /tmp/ranksweep-cache.
std::filesystem::path default_cache_folder();

// Makes the folder where it is not there. Throws CacheError.
void create_cache_folder(const std::filesystem::path& folder);

// The right to build one file of the cache, held by one process of the node at a time. It ends with
// the process, however that ends. While it is held there is a file FILE.lock.
class BuildLock {
 public:
  // Nothing when another holds it. Throws CacheError when the folder cannot be written.
  static std::optional<BuildLock> try_acquire(const std::filesystem::path& file);
  // Waits, and calls `waiting` every 10 ms meanwhile; what that throws ends the waiting.
  static BuildLock acquire(const std::filesystem::path& file, const std::function<void()>& waiting);

  BuildLock(BuildLock&&) noexcept = default;
  BuildLock& operator=(BuildLock&&) = delete;
  ~BuildLock();

 private:
  BuildLock(std::filesystem::path path, FileDescriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  std::filesystem::path path_;
  FileDescriptor descriptor_;
};

}  // namespace ranksweep::worker
