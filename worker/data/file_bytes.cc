#include "worker/data/file_bytes.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include "worker/data/file_descriptor.h"
#include "worker/data/image.h"

namespace ranksweep::worker {
namespace {

constexpr off_t kMaxFileBytes = off_t{1} << 30;

[[noreturn]] void fail_to_read() {
  throw ImageError(fmt::format("cannot be read: {}", std::strerror(errno)));
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0) fail_to_read();
  if (!S_ISREG(status.st_mode)) throw ImageError("is no file but a folder, pipe or device");
  if (status.st_size > kMaxFileBytes) {
    throw ImageError(fmt::format("is {} bytes; an image file of at most {} is read", status.st_size,
                                 kMaxFileBytes));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read();
    if (count == 0) break;  // cut off by someone else since fstat
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace ranksweep::worker
