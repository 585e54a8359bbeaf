#include "tools/cli/thumbnail.h"

#include "tools/cli/sweep_images.h"
#include "tools/make_faces/jpeg_encoder.h"

namespace ranksweep::cli {
namespace {

constexpr int kSide = 144;  // pixels: sharp enough for a screen with two pixels a dot
constexpr int kQuality = 75;

}  // namespace

std::optional<worker::Image> read_thumbnail(const results::SweepInfo& sweep,
                                            const std::string& file) {
  try {
    return worker::decode_image_file(path_of_image(sweep, file), kSide, kSide);
  } catch (const worker::ImageError&) {
    return std::nullopt;
  }
}

std::string encode_thumbnail(const worker::Image& image) {
  return make_faces::encode_jpeg(image, kQuality);
}

std::optional<std::string> draw_thumbnail(const results::SweepInfo& sweep,
                                          const std::string& file) {
  const auto image = read_thumbnail(sweep, file);
  return image ? std::optional(encode_thumbnail(*image)) : std::nullopt;
}

}  // namespace ranksweep::cli
