#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <vector>

namespace ranksweep::worker {

// An RGB image: height x width x 3, row by row, 0..255.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;

  bool operator==(const Image&) const = default;
};

// An image as its file holds it.
struct StoredImage {
  Image image;
  int orientation = 1;  // of EXIF, 1 to 8: how to turn it upright
};

// A file is not an image that can be used. what() completes a sentence that starts with the file's
// name: "is empty", "is truncated: ...".
class ImageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Larger images are refused before memory is allocated for their pixels.
inline constexpr int kMaxImageSide = 32'768;
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 27;

// Changes whenever the same file would give other pixels: part of the decoded cache's key.
inline constexpr int kDecoderVersion = 2;

// Decodes a JPEG or PNG file and resizes it to height x width; the aspect ratio is not kept, as
// with Keras' target_size. The content decides what a file is, not its name.
//
// - Grey, palette, 16-bit and CMYK images become RGB of 8 bits; what is transparent lies on white.
// - An image is turned upright by its EXIF orientation.
// - Resizing is bilinear with antialiasing, as PIL's and torchvision's with antialias=True. A JPEG
// is
//   decoded at 1/2, 1/4 or 1/8 first where that is still no smaller than the target.
// - Deterministic: integer arithmetic, the same pixels on every machine with the same libjpeg.
//
// Throws ImageError; decode_image_file puts the path in front.
Image decode_image(std::span<const std::uint8_t> bytes, int height, int width);
Image decode_image_file(const std::filesystem::path& path, int height, int width);

// Throws ImageError when an image of this size is too large to be read, or has no pixels.
void check_image_size(std::int64_t height, std::int64_t width);

}  // namespace ranksweep::worker
