#pragma once

#include <cstdint>
#include <span>

namespace ranksweep::worker {

// The orientation, 1 to 8, that `exif` states; 0 when it states none. `exif` is the content of a
// JPEG's APP1 segment, which begins with "Exif" and two zeros, or of a PNG's eXIf chunk, which does
// not. // Reads the first directory of the TIFF structure and nothing else (CIPA DC-008,
// "Exif 2.32", 4.5 and 4.6.4; tag 0x0112). What is damaged states none.
int exif_orientation(std::span<const std::uint8_t> exif);

}  // namespace ranksweep::worker
