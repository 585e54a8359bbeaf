#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ranksweep::cli {

// What `doctor` says about one thing, on one line.
struct Finding {
  enum class Level { ok, warning, error };

  Level level = Level::ok;
  std::string what;    // "locks: work"
  std::string remedy;  // what to do; empty when all is well
};

// A file in the results folder that one process holds a lock on, so that others can try it. Removed
// by the destructor.
class LockedFile {
 public:
  // Throws std::system_error when it cannot be made or locked.
  explicit LockedFile(const std::filesystem::path& folder);
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Whether another process that holds a lock on `file` keeps this one from getting it.
Finding check_lock_of_another(const std::filesystem::path& file);

// Rename, sync, free space and kind of the file system. Writes a small file and removes it.
std::vector<Finding> check_folder(const std::filesystem::path& folder);
// Open files, locked memory, /dev/shm.
std::vector<Finding> check_limits();
// Which GPUs there are, how they are linked, and what drives them.
std::vector<Finding> check_gpus();
// The trainer beside this program, and what it is linked with.
Finding check_trainer();
// How fast the trainers of a trial on several devices of this node sum their gradients: by NCCL
// between all GPUs, where there are two at least, else through shared memory.
Finding check_sums();
// Whether Slurm answers, where its commands are.
std::vector<Finding> check_slurm();

}  // namespace ranksweep::cli
