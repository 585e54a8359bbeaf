#include "worker/models/durable_file.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ranksweep::worker {
namespace {

[[noreturn]] void complain(const char* what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(),
                          std::string("cannot ") + what + " " + path.string());
}

// Makes a rename in `directory` durable.
void sync_directory(const std::filesystem::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) complain("open", directory);
  const int result = fsync(descriptor);
  close(descriptor);
  if (result != 0) complain("sync", directory);
}

}  // namespace

DurableFile::DurableFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp") {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) complain("create", temporary_);
}

DurableFile::~DurableFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void DurableFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) complain("write", temporary_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void DurableFile::commit() {
  if (fsync(descriptor_) != 0) complain("sync", temporary_);
  if (close(std::exchange(descriptor_, -1)) != 0) complain("close", temporary_);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) complain("rename", temporary_);
  sync_directory(path_.parent_path());
}

}  // namespace ranksweep::worker
