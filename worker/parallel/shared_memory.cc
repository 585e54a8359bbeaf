#include "worker/parallel/shared_memory.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

namespace ranksweep::worker {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : descriptor_(::memfd_create("ranksweep-group", MFD_CLOEXEC)), size_(bytes) {
  if (descriptor_ < 0) fail("memory to share cannot be made");
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
    ::close(descriptor_);
    fail("memory to share cannot be made");
  }
  map();
}

SharedMemory::SharedMemory(const std::string& address, std::size_t bytes)
    : descriptor_(::open(address.c_str(), O_RDWR | O_CLOEXEC)), size_(bytes) {
  if (descriptor_ < 0) fail(address + ": memory of another trainer cannot be opened");
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || status.st_size != static_cast<off_t>(bytes)) {
    ::close(descriptor_);
    errno = EINVAL;
    fail(address + ": memory of another trainer has another size");
  }
  map();
}

void SharedMemory::map() {
  void* place = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (place == MAP_FAILED) {
    ::close(descriptor_);
    fail("shared memory cannot be mapped");
  }
  data_ = static_cast<std::byte*>(place);
}

SharedMemory::~SharedMemory() {
  ::munmap(data_, size_);
  ::close(descriptor_);
}

std::string SharedMemory::address() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_);
}

}  // namespace ranksweep::worker
