#include "tools/cli/temporary_file.h"

#include <fstream>
#include <iterator>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {

TemporaryFile::TemporaryFile(const std::string& content)
    : path_(std::filesystem::temp_directory_path() /
            fmt::format("ranksweep-{}-{}", ::getpid(), static_cast<const void*>(this))) {
  std::ofstream out(path_, std::ios::binary);
  if (!out.write(content.data(), std::ssize(content)).flush()) {
    throw CommandError(
        ExitCode::unfit,
        fmt::format("{} cannot be written; set TMPDIR to another folder", path_.string()));
  }
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace ranksweep::cli
