#include "worker/data/image.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "worker/data/file_bytes.h"
#include "worker/data/jpeg_decoder.h"
#include "worker/data/png_decoder.h"
#include "worker/data/resize.h"

namespace ranksweep::worker {
namespace {

struct Signature {
  std::string_view bytes;
  std::size_t offset;
  const char* format;
};

using namespace std::string_view_literals;

constexpr std::string_view kJpegSignature = "\xFF\xD8\xFF"sv;
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n"sv;
// Formats that people do put among their images, so that the message can name them.
constexpr std::array kOtherFormats = {
    Signature{"GIF8"sv, 0, "a GIF image"},         Signature{"WEBP"sv, 8, "a WebP image"},
    Signature{"BM"sv, 0, "a BMP image"},           Signature{"II*\0"sv, 0, "a TIFF image"},
    Signature{"MM\0*"sv, 0, "a TIFF image"},       Signature{"ftypavif"sv, 4, "an AVIF image"},
    Signature{"ftypheic"sv, 4, "a HEIC image"},    Signature{"ftypmif1"sv, 4, "a HEIF image"},
    Signature{"\xFF\x0A"sv, 0, "a JPEG XL image"}, Signature{"%PDF"sv, 0, "a PDF document"},
    Signature{"<svg"sv, 0, "an SVG drawing"},      Signature{"<!DOCTYPE"sv, 0, "a web page"},
    Signature{"<html"sv, 0, "a web page"},         Signature{"PK\x03\x04"sv, 0, "a ZIP archive"},
};

bool has_signature(std::span<const std::uint8_t> bytes, std::string_view signature,
                   std::size_t offset = 0) {
  if (bytes.size() < offset + signature.size()) return false;
  return std::equal(signature.begin(), signature.end(), bytes.subspan(offset).begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

[[noreturn]] void refuse_format(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw ImageError("is empty");
  for (const Signature& other : kOtherFormats) {
    if (has_signature(bytes, other.bytes, other.offset)) {
      throw ImageError(fmt::format("is {}; convert it to JPEG or PNG", other.format));
    }
  }
  throw ImageError("is neither a JPEG nor a PNG image");
}

// Turns an image upright: `orientation` is the value of EXIF tag 0x0112, 1 to 8.
Image turn_upright(const Image& image, int orientation) {
  const bool transpose = orientation >= 5;
  const bool flip_rows =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool flip_columns =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image upright{transpose ? image.width : image.height, transpose ? image.height : image.width, {}};
  upright.pixels.reserve(image.pixels.size());
  for (int y = 0; y < upright.height; ++y) {
    for (int x = 0; x < upright.width; ++x) {
      int row = transpose ? x : y;
      int column = transpose ? y : x;
      if (flip_rows) row = image.height - 1 - row;
      if (flip_columns) column = image.width - 1 - column;
      const auto pixel =
          image.pixels.begin() + (static_cast<std::ptrdiff_t>(row) * image.width + column) * 3;
      upright.pixels.insert(upright.pixels.end(), pixel, pixel + 3);
    }
  }
  return upright;
}

}  // namespace

void check_image_size(std::int64_t height, std::int64_t width) {
  if (height < 1 || width < 1) {
    throw ImageError(fmt::format("is {} x {} pixels", height, width));
  }
  if (std::max(height, width) > kMaxImageSide || height * width > kMaxImagePixels) {
    throw ImageError(
        fmt::format("is {} x {} pixels; at most {} a side and {} in all are read: scale it down",
                    height, width, kMaxImageSide, kMaxImagePixels));
  }
}

Image decode_image(std::span<const std::uint8_t> bytes, int height, int width) {
  if (!has_signature(bytes, kPngSignature) && !has_signature(bytes, kJpegSignature)) {
    refuse_format(bytes);
  }
  StoredImage stored =
      has_signature(bytes, kPngSignature) ? decode_png(bytes) : decode_jpeg(bytes, height, width);
  // Resizing comes first since the small image is cheaper to turn; the result is the same.
  if (stored.orientation >= 5) std::swap(height, width);
  Image image = resize(std::move(stored.image), height, width);
  return stored.orientation == 1 ? image : turn_upright(image, stored.orientation);
}

Image decode_image_file(const std::filesystem::path& path, int height, int width) {
  try {
    return decode_image(read_file(path), height, width);
  } catch (const ImageError& error) {
    throw ImageError(fmt::format("{} {}", path.string(), error.what()));
  }
}

}  // namespace ranksweep::worker
