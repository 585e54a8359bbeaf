#include "results/writer_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "results/sweep_store.h"
#include "results/utc_time.h"

namespace ranksweep::results {
namespace {

std::string read_all(int descriptor) {
  char buffer[512];
  const ssize_t count = pread(descriptor, buffer, sizeof(buffer), 0);
  return std::string(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
}

std::string describe_this_process() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return fmt::format("process {} on host {} since {}", getpid(), host,
                     format_utc(std::chrono::system_clock::now()));
}

int open_lock_file(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw StoreUnavailable(fmt::format(
        "{}: cannot be written ({}); choose a database in a folder that exists and can be written",
        path.string(), std::strerror(errno)));
  }
  return descriptor;
}

// Whoever releases the lock removes its file, so the file that was opened may be gone by now.
bool is_still_at(const std::filesystem::path& path, int descriptor) {
  struct stat opened, found;
  return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& database) : path_(database.string() + ".lock") {
  for (;;) {
    descriptor_ = open_lock_file(path_);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string holder = read_all(descriptor_);
      close(descriptor_);
      if (error == EWOULDBLOCK) {
        throw StoreError(
            fmt::format("{}: another ranksweep writes to it ({}); wait until it ends, or stop it",
                        database.string(), holder.empty() ? "which has only just begun" : holder));
      }
      throw StoreUnavailable(
          fmt::format("{}: cannot be locked ({}); choose a place on a file system with file locks",
                      path_.string(), std::strerror(error)));
    }
    if (is_still_at(path_, descriptor_)) break;
    close(descriptor_);
  }
  const std::string text = describe_this_process();
  if (ftruncate(descriptor_, 0) != 0 ||
      pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int error = errno;
    close(descriptor_);
    throw StoreUnavailable(
        fmt::format("{}: cannot be written ({})", path_.string(), std::strerror(error)));
  }
}

WriterLock::~WriterLock() {
  unlink(path_.c_str());
  close(descriptor_);
}

}  // namespace ranksweep::results
