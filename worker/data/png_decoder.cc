#include "worker/data/png_decoder.h"

#include <png.h>
#include <string_view>

#include <fmt/format.h>

#include "worker/data/exif_orientation.h"

namespace ranksweep::worker {
namespace {

// Owns the state of libpng's simplified interface, which reports errors by return values.
class PngReader {
 public:
  PngReader() { png_.version = PNG_IMAGE_VERSION; }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&png_); }

  png_image* get() { return &png_; }
  [[noreturn]] void fail() const {
    const std::string_view message = png_.message;
    if (message.find("beyond end of data") != message.npos ||
        message.find("Not enough image data") != message.npos) {
      throw ImageError("is truncated: the file ends before the image does");
    }
    throw ImageError(fmt::format("is a damaged PNG: {}", message));
  }

 private:
  png_image png_ = {};
};

std::size_t read32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::size_t{bytes[at]} << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
}

// libpng's simplified interface passes over the eXIf chunk. A chunk is its length, its type, its
// content and a checksum (PNG Specification, third edition, 5.3 and 11.3.4.5).
int read_orientation(std::span<const std::uint8_t> png) {
  constexpr std::size_t kSignature = 8, kAround = 12;
  for (std::size_t at = kSignature; at + kAround <= png.size();) {
    const std::size_t length = read32(png, at);
    if (length > png.size() - at - kAround) break;
    const std::string_view type(reinterpret_cast<const char*>(png.data()) + at + 4, 4);
    if (type == "eXIf") {
      const int orientation = exif_orientation(png.subspan(at + 8, length));
      return orientation == 0 ? 1 : orientation;
    }
    at += kAround + length;
  }
  return 1;
}

void blend_with_white(std::vector<std::uint8_t>& rgba) {
  const std::size_t count = rgba.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const unsigned blended = rgba[4 * i + channel] * alpha + 255 * (255 - alpha);
      rgba[3 * i + channel] = static_cast<std::uint8_t>((blended + 127) / 255);
    }
  }
  rgba.resize(count * 3);
}

}  // namespace

StoredImage decode_png(std::span<const std::uint8_t> bytes) {
  PngReader reader;
  png_image* png = reader.get();
  if (!png_image_begin_read_from_memory(png, bytes.data(), bytes.size())) reader.fail();
  check_image_size(png->height, png->width);

  const bool transparent = png->format & PNG_FORMAT_FLAG_ALPHA;
  png->format = transparent ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits do not mean linear light, as libpng assumes
  StoredImage stored{.image = {static_cast<int>(png->height), static_cast<int>(png->width), {}},
                     .orientation = read_orientation(bytes)};
  Image& image = stored.image;
  image.pixels.resize(PNG_IMAGE_SIZE(*png));
  if (!png_image_finish_read(png, nullptr, image.pixels.data(), 0, nullptr)) reader.fail();
  if (transparent) blend_with_white(image.pixels);
  return stored;
}

}  // namespace ranksweep::worker
