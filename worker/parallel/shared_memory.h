#pragma once

#include <cstddef>
#include <string>

namespace ranksweep::worker {

// Memory that processes of one host share. It has no name in a file system: others find it through
// its maker's /proc/PID/fd, and the kernel frees it with its last user, however that one ends.
class SharedMemory {
 public:
  // New memory of zeros. Throws std::system_error.
  explicit SharedMemory(std::size_t bytes);
  // That of another process, by its address(); the maker must still hold it. Throws
  // std::system_error, also when it is of another size.
  SharedMemory(const std::string& address, std::size_t bytes);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  // A path, good on this host.
  std::string address() const;
  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void map();

  int descriptor_ = -1;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ranksweep::worker
