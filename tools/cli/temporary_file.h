#pragma once

#include <filesystem>
#include <string>

namespace ranksweep::cli {

// A file in the temporary folder, gone with its owner. Throws CommandError when it cannot be
// written.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ranksweep::cli
