#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ranksweep::worker {

// A file that is there as a whole or not at all: written beside its place under a temporary name,
// synced, and renamed into place by commit(), after which it survives a crash of the machine.
// Without commit() nothing remains. Members throw std::system_error, which names the file.
class DurableFile {
 public:
  explicit DurableFile(std::filesystem::path path);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace ranksweep::worker
