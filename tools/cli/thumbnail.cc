#include "tools/cli/thumbnail.h"

#include <filesystem>

#include "tools/make_faces/jpeg_encoder.h"
#include "worker/data/image.h"

namespace ranksweep::cli {
namespace {

constexpr int kSide = 144;  // pixels: sharp enough for a screen with two pixels a dot
constexpr int kQuality = 75;

// Names are relative to the folder, or to the folder of the manifest.
std::filesystem::path folder_of(const std::filesystem::path& data) {
  std::error_code ignored;
  return std::filesystem::is_directory(data, ignored) ? data : data.parent_path();
}

}  // namespace

std::optional<std::string> draw_thumbnail(const results::SweepInfo& sweep,
                                          const std::string& file) {
  try {
    return make_faces::encode_jpeg(
        worker::decode_image_file(folder_of(sweep.data_path) / file, kSide, kSide), kQuality);
  } catch (const worker::ImageError&) {
    return std::nullopt;
  }
}

}  // namespace ranksweep::cli
