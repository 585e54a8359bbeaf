#include "tools/make_faces/jpeg_encoder.h"

#include <cstdio>  // jpeglib.h needs it and does not include it
#include <cstdlib>
#include <jpeglib.h>

namespace ranksweep::make_faces {

// libjpeg's own handling of errors, which ends the program, is right here: an encoder that is given
// pixels in memory fails for want of memory alone.
std::string encode_jpeg(const worker::Image& image, int quality) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &buffer, &size);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.image_width = static_cast<JDIMENSION>(image.width);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  while (codec.next_scanline < codec.image_height) {
    auto* row = const_cast<JSAMPROW>(image.pixels.data() + stride * codec.next_scanline);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  std::string bytes(reinterpret_cast<const char*>(buffer), size);
  jpeg_destroy_compress(&codec);
  std::free(buffer);
  return bytes;
}

}  // namespace ranksweep::make_faces
