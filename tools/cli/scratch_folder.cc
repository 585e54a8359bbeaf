#include "tools/cli/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& reason) {
  throw CommandError(ExitCode::unfit,
                     fmt::format("{}: the scratch folder cannot be used: {}; name a folder with "
                                 "--scratch that every node has and you may write to",
                                 path.string(), reason));
}

// The last user removes the lock's file, so the file that was opened may be gone by now.
bool is_still_at(const std::filesystem::path& path, int descriptor) {
  struct stat opened, found;
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

int lock_with_others(const std::filesystem::path& path) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) fail(path, std::strerror(errno));
    while (::flock(descriptor, LOCK_SH) != 0) {  // waits while somebody removes the folder
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(descriptor);
      fail(path, std::strerror(error));
    }
    if (is_still_at(path, descriptor)) return descriptor;
    ::close(descriptor);
  }
}

}  // namespace

ScratchFolder::ScratchFolder(const std::filesystem::path& folder)
    : path_(std::filesystem::absolute(folder) / fmt::format("ranksweep-{}", ::getuid())),
      lock_(path_.string() + ".lock") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, error.message());
  descriptor_ = lock_with_others(lock_);
  struct stat found = {};
  const bool made = ::mkdir(path_.c_str(), 0700) == 0 || errno == EEXIST;
  const std::string reason = std::strerror(errno);
  const bool ours = made && ::lstat(path_.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
                    found.st_uid == ::getuid();
  if (!ours) {
    ::close(descriptor_);
    fail(path_, made ? "what is there is no folder of yours" : reason);
  }
  ::setenv("RANKSWEEP_CACHE", path_.c_str(), 1);
}

ScratchFolder::~ScratchFolder() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {  // nobody else is there
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    ::unlink(lock_.c_str());
  }
  ::close(descriptor_);
}

}  // namespace ranksweep::cli
