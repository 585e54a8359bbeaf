#pragma once

#include <cstdint>
#include <span>

namespace ranksweep::worker {

// The orientation, 1 to 8, that the content of a JPEG's APP1 segment states; 0 when it states none.
// Reads the first directory of the TIFF structure and nothing else (CIPA DC-008, "Exif 2.32", 4.5
// and 4.6.4; tag 0x0112). What is damaged states none.
int exif_orientation(std::span<const std::uint8_t> segment);

}  // namespace ranksweep::worker
