#pragma once

#include <filesystem>

namespace ranksweep::results {

// Keeps a second writer away from a database: an advisory lock on "DATABASE.lock", which the
// operating system frees when its process dies, however it dies. The file's text says who holds it,
// for the message alone; a file that is left behind without a lock is taken over.
class WriterLock {
 public:
  // Throws StoreError: who holds it, or why it cannot be taken.
  explicit WriterLock(const std::filesystem::path& database);
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace ranksweep::results
