#include "worker/data/jpeg_decoder.h"

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it and does not include it
#include <jerror.h>
#include <jpeglib.h>
#include <utility>

#include <fmt/format.h>

#include "worker/data/exif_orientation.h"

namespace ranksweep::worker {
namespace {

// A progressive JPEG of a few kilobytes can ask for thousands of passes over a large image.
constexpr int kMaxScans = 500;
constexpr int kExifMarker = JPEG_APP0 + 1;

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf escape;
  bool truncated;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr codec) {
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  codec->err->format_message(codec, errors->message);
  std::longjmp(errors->escape, 1);
}

// libjpeg fills what is missing with grey and calls it a warning. Such an image is not what its
// file was, so these are errors here; warnings that leave the pixels whole are passed over.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  const int code = codec->err->msg_code;
  auto* errors = reinterpret_cast<ErrorManager*>(codec->err);
  errors->truncated = code == JWRN_JPEG_EOF;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE) leave(codec);
}

void on_progress(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number > kMaxScans) {
    codec->err->msg_code = JERR_BAD_PROGRESSION;
    leave(codec);
  }
}

// Owns a libjpeg decompressor. libjpeg reports errors by longjmp, so each of its calls sits in a
// member function without objects that need a destructor.
class Decompressor {
 public:
  explicit Decompressor(std::span<const std::uint8_t> bytes) {
    codec_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = leave;
    errors_.base.emit_message = on_message;
    errors_.truncated = false;
    progress_.progress_monitor = on_progress;
    if (setjmp(errors_.escape) != 0) return;  // out of memory: read_header() will fail
    jpeg_create_decompress(&codec_);
    codec_.progress = &progress_;
    jpeg_mem_src(&codec_, bytes.data(), bytes.size());
    jpeg_save_markers(&codec_, kExifMarker, 0xFFFF);
    created_ = true;
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&codec_); }

  bool read_header() {
    if (!created_ || setjmp(errors_.escape) != 0) return false;
    return jpeg_read_header(&codec_, TRUE) == JPEG_HEADER_OK;
  }

  bool start() {
    if (setjmp(errors_.escape) != 0) return false;
    return jpeg_start_decompress(&codec_);
  }

  bool read_rows(std::uint8_t* pixels) {
    if (setjmp(errors_.escape) != 0) return false;
    const std::size_t stride = std::size_t{codec_.output_width} * codec_.output_components;
    while (codec_.output_scanline < codec_.output_height) {
      JSAMPROW row = pixels + stride * codec_.output_scanline;
      jpeg_read_scanlines(&codec_, &row, 1);
    }
    return jpeg_finish_decompress(&codec_);
  }

  jpeg_decompress_struct& codec() { return codec_; }

  [[noreturn]] void fail() const {
    if (errors_.truncated) throw ImageError("is truncated: the file ends before the image does");
    throw ImageError(fmt::format("is a damaged or unusual JPEG: {}", errors_.message));
  }

 private:
  jpeg_decompress_struct codec_ = {};
  ErrorManager errors_ = {};
  jpeg_progress_mgr progress_ = {};
  bool created_ = false;
};

int read_orientation(const jpeg_decompress_struct& codec) {
  for (const jpeg_marker_struct* marker = codec.marker_list; marker; marker = marker->next) {
    if (marker->marker != kExifMarker) continue;
    if (const int orientation = exif_orientation({marker->data, marker->data_length})) {
      return orientation;
    }
  }
  return 1;
}

// The scale of the inverse DCT, 1/denominator, among those that libjpeg-turbo has vector code for.
unsigned choose_denominator(const jpeg_decompress_struct& codec, unsigned min_height,
                            unsigned min_width) {
  unsigned denominator = 8;
  while (denominator > 1 && (codec.image_height / denominator < min_height ||
                             codec.image_width / denominator < min_width)) {
    denominator /= 2;
  }
  return denominator;
}

// In place; Adobe's programs store the inks inverted and say so by their marker.
void cmyk_to_rgb(std::vector<std::uint8_t>& pixels, bool inverted) {
  const std::size_t count = pixels.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    const auto light = [&](std::size_t channel) {
      const unsigned ink = pixels[4 * i + channel];
      return inverted ? ink : 255 - ink;
    };
    const unsigned black = light(3);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = static_cast<std::uint8_t>((light(channel) * black + 127) / 255);
    }
  }
  pixels.resize(count * 3);
}

}  // namespace

StoredImage decode_jpeg(std::span<const std::uint8_t> bytes, int min_height, int min_width) {
  Decompressor decompressor(bytes);
  if (!decompressor.read_header()) decompressor.fail();
  jpeg_decompress_struct& codec = decompressor.codec();
  check_image_size(codec.image_height, codec.image_width);

  StoredImage result;
  result.orientation = read_orientation(codec);
  if (result.orientation >= 5) std::swap(min_height, min_width);
  codec.scale_num = 1;
  codec.scale_denom = choose_denominator(codec, min_height, min_width);
  const bool cmyk = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  codec.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  if (!decompressor.start()) decompressor.fail();

  Image& image = result.image;
  image.height = static_cast<int>(codec.output_height);
  image.width = static_cast<int>(codec.output_width);
  image.pixels.resize(std::size_t{codec.output_height} * codec.output_width *
                      codec.output_components);
  if (!decompressor.read_rows(image.pixels.data())) decompressor.fail();
  if (cmyk) cmyk_to_rgb(image.pixels, codec.saw_Adobe_marker);
  return result;
}

}  // namespace ranksweep::worker
