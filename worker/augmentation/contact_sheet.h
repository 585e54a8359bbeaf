#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "worker/data/image.h"

namespace ranksweep::worker {

// A row of pictures with what stands to its left.
struct ContactRow {
  std::string label;
  std::vector<Image> images;  // all of one size
};

// Draws rows of pictures below the headings of their columns, and writes them as a PNG file. Throws
// std::runtime_error when the file cannot be written.
void write_contact_sheet(const std::vector<std::string>& headings,
                         const std::vector<ContactRow>& rows, const std::filesystem::path& path);

}  // namespace ranksweep::worker
