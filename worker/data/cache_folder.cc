#include "worker/data/cache_folder.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "worker/data/data_set.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_lock(const fs::path& path) {
  throw CacheError(
      fmt::format("{}: cannot be locked: {}; make its folder writable, or set "
                  "RANKSWEEP_CACHE to another folder",
                  path.string(), std::strerror(errno)));
}

// Whether `descriptor` is the file that lies at `path`, and not one whose holder removed it.
bool lies_at(const FileDescriptor& descriptor, const fs::path& path) {
  struct stat ours;
  struct stat theirs;
  return fstat(descriptor.get(), &ours) == 0 && stat(path.c_str(), &theirs) == 0 &&
         ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

}  // namespace

fs::path default_cache_folder() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (fs::path folder = variable("RANKSWEEP_CACHE"); !folder.empty()) return folder;
  if (const fs::path base = variable("XDG_CACHE_HOME"); !base.empty()) return base / "ranksweep";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "ranksweep";
  if (const fs::path base = variable("TMPDIR"); !base.empty()) return base / "ranksweep-cache";
  return "/tmp/ranksweep-cache";
}

void create_cache_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw CacheError(
        fmt::format("{}: the cache's folder cannot be made: {}; set RANKSWEEP_CACHE to "
                    "another one",
                    folder.string(), error.message()));
  }
}

std::optional<BuildLock> BuildLock::try_acquire(const fs::path& file) {
  fs::path path = file.string() + ".lock";
  while (true) {
    FileDescriptor descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor.get() < 0) fail_to_lock(path);
    if (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return std::nullopt;
      fail_to_lock(path);
    }
    if (lies_at(descriptor, path)) return BuildLock(std::move(path), std::move(descriptor));
  }
}

BuildLock BuildLock::acquire(const fs::path& file, const std::function<void()>& waiting) {
  while (true) {
    if (auto lock = try_acquire(file)) return std::move(*lock);
    if (waiting) waiting();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

BuildLock::~BuildLock() {
  if (descriptor_.get() >= 0) unlink(path_.c_str());
}

}  // namespace ranksweep::worker
