#include "tests/worker/data/image_files.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <jpeglib.h>
#include <png.h>
#include <stdexcept>

namespace ranksweep::worker {
namespace {

const std::uint8_t* pixel_at(const Image& image, int y, int x) {
  return image.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
}

int luma(const std::uint8_t* rgb) { return (rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114) / 1000; }

// A TIFF structure that states the orientation and nothing else.
Bytes exif(int orientation) {
  return {'M',  'M',  0, 42, 0, 0, 0, 8, 0, 1,
          0x01, 0x12, 0, 3,  0, 0, 0, 1, 0, static_cast<std::uint8_t>(orientation),
          0,    0,    0, 0,  0, 0};
}

void write_exif(jpeg_compress_struct& codec, int orientation) {
  Bytes segment = {'E', 'x', 'i', 'f', 0, 0};
  for (const std::uint8_t byte : exif(orientation)) segment.push_back(byte);
  jpeg_write_marker(&codec, JPEG_APP0 + 1, segment.data(), static_cast<unsigned>(segment.size()));
}

void fill_row(const Image& image, int y, JpegColors colors, Bytes& row) {
  row.clear();
  for (int x = 0; x < image.width; ++x) {
    const std::uint8_t* rgb = pixel_at(image, y, x);
    if (colors == JpegColors::grey) {
      row.push_back(static_cast<std::uint8_t>(luma(rgb)));
      continue;
    }
    for (int c = 0; c < 3; ++c) {
      row.push_back(colors == JpegColors::cmyk ? static_cast<std::uint8_t>(255 - rgb[c]) : rgb[c]);
    }
    if (colors == JpegColors::cmyk) row.push_back(0);
    if (colors == JpegColors::adobe_cmyk) row.push_back(255);
  }
}

}  // namespace

Image gradient(int height, int width, int blue) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels.push_back(static_cast<std::uint8_t>(x * 255 / std::max(1, width - 1)));
      image.pixels.push_back(static_cast<std::uint8_t>(y * 255 / std::max(1, height - 1)));
      image.pixels.push_back(static_cast<std::uint8_t>(blue));
    }
  }
  return image;
}

Image plain(int height, int width, int red, int green, int blue) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i) {
    for (const int value : {red, green, blue}) {
      image.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

Bytes jpeg_bytes(const Image& image, JpegColors colors, int orientation, bool progressive) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &buffer, &size);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.image_width = static_cast<JDIMENSION>(image.width);
  const bool cmyk = colors == JpegColors::cmyk || colors == JpegColors::adobe_cmyk;
  codec.input_components = colors == JpegColors::grey ? 1 : cmyk ? 4 : 3;
  codec.in_color_space = colors == JpegColors::grey ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 95, TRUE);
  for (int c = 0; c < codec.num_components; ++c) {
    codec.comp_info[c].h_samp_factor = codec.comp_info[c].v_samp_factor = 1;
  }
  codec.write_Adobe_marker = colors == JpegColors::adobe_cmyk;
  if (progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  if (orientation != 0) write_exif(codec, orientation);
  Bytes row;
  for (int y = 0; y < image.height; ++y) {
    fill_row(image, y, colors, row);
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&codec, &pointer, 1);
  }
  jpeg_finish_compress(&codec);
  const Bytes bytes(buffer, buffer + size);
  jpeg_destroy_compress(&codec);
  std::free(buffer);
  return bytes;
}

Bytes png_bytes(const Image& image, PngColors colors, int alpha, int orientation) {
  Bytes bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp writer, png_bytep data, png_size_t size) {
        auto* target = static_cast<Bytes*>(png_get_io_ptr(writer));
        target->insert(target->end(), data, data + size);
      },
      nullptr);
  const int type = colors == PngColors::grey         ? PNG_COLOR_TYPE_GRAY
                   : colors == PngColors::grey_alpha ? PNG_COLOR_TYPE_GRAY_ALPHA
                   : colors == PngColors::rgba       ? PNG_COLOR_TYPE_RGBA
                   : colors == PngColors::palette    ? PNG_COLOR_TYPE_PALETTE
                                                     : PNG_COLOR_TYPE_RGB;
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), colors == PngColors::rgb16 ? 16 : 8, type,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (colors == PngColors::palette) {  // of 216 colours, six levels a channel
    std::vector<png_color> palette;
    for (int i = 0; i < 216; ++i) {
      const auto level = [](int step) { return static_cast<png_byte>(51 * step); };
      palette.push_back({level(i / 36), level(i / 6 % 6), level(i % 6)});
    }
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (orientation != 0) {
    Bytes chunk = exif(orientation);
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(chunk.size()), chunk.data());
  }
  png_write_info(png, info);
  for (int y = 0; y < image.height; ++y) {
    Bytes row;
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* rgb = pixel_at(image, y, x);
      if (colors == PngColors::palette) {
        row.push_back(static_cast<std::uint8_t>(rgb[0] / 51 * 36 + rgb[1] / 51 * 6 + rgb[2] / 51));
        continue;
      }
      const bool grey = colors == PngColors::grey || colors == PngColors::grey_alpha;
      for (int c = 0; c < (grey ? 1 : 3); ++c) {
        row.push_back(grey ? static_cast<std::uint8_t>(luma(rgb)) : rgb[c]);
        if (colors == PngColors::rgb16) row.push_back(rgb[c]);
      }
      if (colors == PngColors::grey_alpha || colors == PngColors::rgba) {
        row.push_back(static_cast<std::uint8_t>(alpha));
      }
    }
    png_write_row(png, row.data());
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

int largest_difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return largest;
}

}  // namespace ranksweep::worker
