#include "worker/data/exif_orientation.h"

#include <algorithm>
#include <string_view>

namespace ranksweep::worker {
namespace {

constexpr std::string_view kExifHeader("Exif\0\0", 6);
constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kShortType = 3;
constexpr std::size_t kEntryBytes = 12;

// A TIFF structure; what lies beyond its end reads as 0.
class Tiff {
 public:
  explicit Tiff(std::span<const std::uint8_t> bytes)
      : bytes_(bytes), big_endian_(bytes.size() > 0 && bytes[0] == 'M') {}

  unsigned read16(std::size_t at) const {
    if (at + 2 > bytes_.size()) return 0;
    return big_endian_ ? bytes_[at] << 8 | bytes_[at + 1] : bytes_[at + 1] << 8 | bytes_[at];
  }
  std::size_t read32(std::size_t at) const {
    const std::size_t first = read16(at), second = read16(at + 2);
    return big_endian_ ? first << 16 | second : second << 16 | first;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
  const bool has_header = exif.size() >= kExifHeader.size() &&
                          std::equal(kExifHeader.begin(), kExifHeader.end(), exif.begin());
  const Tiff tiff(has_header ? exif.subspan(kExifHeader.size()) : exif);
  if (tiff.read16(2) != 42) return 0;
  const std::size_t directory = tiff.read32(4);
  const unsigned entries = tiff.read16(directory);
  for (unsigned i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.read16(entry) != kOrientationTag) continue;
    const unsigned value = tiff.read16(entry + 8);
    const bool valid = tiff.read16(entry + 2) == kShortType && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : 0;
  }
  return 0;
}

}  // namespace ranksweep::worker
