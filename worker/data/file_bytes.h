#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ranksweep::worker {

// The bytes of a regular file of at most 1 GiB. Never blocks on a pipe or a device. Throws
// ImageError with the reason.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

}  // namespace ranksweep::worker
