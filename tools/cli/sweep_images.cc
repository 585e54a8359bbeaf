#include "tools/cli/sweep_images.h"

#include <system_error>

namespace ranksweep::cli {

std::filesystem::path path_of_image(const results::SweepInfo& sweep, const std::string& file) {
  const std::filesystem::path data = sweep.data_path;
  std::error_code ignored;
  return (std::filesystem::is_directory(data, ignored) ? data : data.parent_path()) / file;
}

}  // namespace ranksweep::cli
