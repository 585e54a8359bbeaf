#include "worker/data/image.h"

#include <cmath>

#include <gmock/gmock.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/exif_orientation.h"
#include "worker/data/jpeg_decoder.h"
#include "worker/data/resize.h"

namespace ranksweep::worker {
namespace {

constexpr int kJpegLoss = 6;  // of quality 95 on smooth images

TEST(Image, ReadsEveryKindOfJpeg) {
  const Image image = gradient(40, 60);
  EXPECT_LE(largest_difference(decode_image(jpeg_bytes(image), 40, 60), image), kJpegLoss);
  EXPECT_LE(
      largest_difference(decode_image(jpeg_bytes(image, JpegColors::rgb, 0, true), 40, 60), image),
      kJpegLoss);
  const Image grey = plain(40, 60, 77, 77, 77);
  EXPECT_LE(largest_difference(decode_image(jpeg_bytes(grey, JpegColors::grey), 40, 60), grey), 2);
}

TEST(Image, ReadsCmykWithAndWithoutAdobesInversion) {
  const Image image = plain(16, 16, 200, 100, 50);
  for (const JpegColors colors : {JpegColors::cmyk, JpegColors::adobe_cmyk}) {
    EXPECT_LE(largest_difference(decode_image(jpeg_bytes(image, colors), 16, 16), image), 3);
  }
}

TEST(Image, ReadsEveryKindOfPng) {
  const Image image = gradient(30, 20);
  EXPECT_EQ(decode_image(png_bytes(image), 30, 20), image);
  EXPECT_EQ(decode_image(png_bytes(image, PngColors::rgba), 30, 20), image);
  EXPECT_EQ(decode_image(png_bytes(image, PngColors::rgb16), 30, 20), image);
  const Image websafe = plain(8, 8, 51, 102, 255);
  EXPECT_EQ(decode_image(png_bytes(websafe, PngColors::palette), 8, 8), websafe);
  const Image grey = plain(8, 8, 90, 90, 90);
  EXPECT_EQ(decode_image(png_bytes(grey, PngColors::grey), 8, 8), grey);
}

TEST(Image, PutsWhatIsTransparentOnWhite) {
  const Image black = plain(8, 8, 0, 0, 0);
  EXPECT_EQ(decode_image(png_bytes(black, PngColors::rgba, 0), 8, 8), plain(8, 8, 255, 255, 255));
  EXPECT_EQ(decode_image(png_bytes(black, PngColors::rgba, 51), 8, 8), plain(8, 8, 204, 204, 204));
  EXPECT_EQ(decode_image(png_bytes(black, PngColors::grey_alpha, 51), 8, 8),
            plain(8, 8, 204, 204, 204));
}

TEST(Image, ContentDecidesNotTheName) {
  const TemporaryFolder folder;
  const auto path = folder.write("face.jpg", png_bytes(gradient(9, 9)));
  EXPECT_EQ(decode_image_file(path, 9, 9), gradient(9, 9));
}

// The pixel of `upright` at (y, x), from the image as it is stored: EXIF 2.32, 4.6.4 A, tag 274.
std::array<int, 2> stored_at(int orientation, int y, int x, int stored_height, int stored_width) {
  const int bottom = stored_height - 1, right = stored_width - 1;
  switch (orientation) {
    case 2:
      return {y, right - x};
    case 3:
      return {bottom - y, right - x};
    case 4:
      return {bottom - y, x};
    case 5:
      return {x, y};
    case 6:
      return {bottom - x, y};
    case 7:
      return {bottom - x, right - y};
    case 8:
      return {x, right - y};
    default:
      return {y, x};
  }
}

TEST(Image, TurnsAJpegAndAPngUpright) {
  const Image stored = gradient(24, 36);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const bool turned = orientation >= 5;
    Image upright{turned ? 36 : 24, turned ? 24 : 36, {}};
    for (int y = 0; y < upright.height; ++y) {
      for (int x = 0; x < upright.width; ++x) {
        const auto [row, column] = stored_at(orientation, y, x, 24, 36);
        const auto pixel = stored.pixels.begin() + (row * 36 + column) * 3;
        upright.pixels.insert(upright.pixels.end(), pixel, pixel + 3);
      }
    }
    const Image jpeg = decode_image(jpeg_bytes(stored, JpegColors::rgb, orientation),
                                    upright.height, upright.width);
    EXPECT_LE(largest_difference(jpeg, upright), kJpegLoss) << "orientation " << orientation;
    const Image png = decode_image(png_bytes(stored, PngColors::rgba, 255, orientation),
                                   upright.height, upright.width);
    EXPECT_EQ(png, upright) << "orientation " << orientation;
  }
}

TEST(Image, AnExifChunkThatIsCutOffTurnsNothing) {
  Bytes png = png_bytes(gradient(6, 4), PngColors::rgb, 255, 6);
  const std::array<std::uint8_t, 4> type = {'e', 'X', 'I', 'f'};
  const auto chunk = std::search(png.begin(), png.end(), type.begin(), type.end());
  ASSERT_NE(chunk, png.end());
  *(chunk - 1) = 0xFF;  // the length of the chunk, which now swallows the next
  EXPECT_THROW(decode_image(png, 6, 4), ImageError);
  *(chunk - 4) = 0xFF;  // and now lies beyond the end
  EXPECT_THROW(decode_image(png, 6, 4), ImageError);
}

TEST(Image, TurningAndResizingMayChangePlaces) {
  const Image small = decode_image(jpeg_bytes(gradient(120, 80), JpegColors::rgb, 6), 20, 30);
  const Image whole = decode_image(jpeg_bytes(gradient(120, 80), JpegColors::rgb, 6), 80, 120);
  EXPECT_LE(largest_difference(small, resize(whole, 20, 30)), 3);
}

TEST(ExifOrientation, ReadsBothByteOrdersAndNothingDamaged) {
  const Bytes little = {'E', 'x', 'i',  'f',  0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
                        1,   0,   0x12, 0x01, 3, 0, 1,   0,   0,  0, 6, 0, 0, 0};
  EXPECT_EQ(exif_orientation(little), 6);
  for (std::size_t size = 0; size + 2 < little.size(); ++size) {
    EXPECT_EQ(exif_orientation(std::span(little).first(size > 25 ? 25 : size)), 0) << size;
  }
  Bytes unknown = little;
  unknown[24] = 9;
  EXPECT_EQ(exif_orientation(unknown), 0);
  Bytes far = little;
  far[10] = far[11] = far[12] = far[13] = 0xFF;
  EXPECT_EQ(exif_orientation(far), 0);
}

// The definition, in floating point and two dimensions at once.
Image resize_by_definition(const Image& image, int height, int width) {
  Image result{height, width, {}};
  const auto weight = [](int in, int out, int i, int x) {
    const double scale = static_cast<double>(in) / out;
    const double reach = std::max(scale, 1.0);
    return std::max(0.0, 1 - std::abs((x + 0.5) - (i + 0.5) * scale) / reach);
  };
  for (int i = 0; i < height; ++i) {
    for (int j = 0; j < width; ++j) {
      for (int c = 0; c < 3; ++c) {
        double sum = 0, weights = 0;
        for (int y = 0; y < image.height; ++y) {
          for (int x = 0; x < image.width; ++x) {
            const double w = weight(image.height, height, i, y) * weight(image.width, width, j, x);
            sum += w * image.pixels[static_cast<std::size_t>((y * image.width + x) * 3 + c)];
            weights += w;
          }
        }
        result.pixels.push_back(static_cast<std::uint8_t>(std::lround(sum / weights)));
      }
    }
  }
  return result;
}

TEST(Resize, FollowsTheDefinition) {
  Image noise = plain(23, 31, 0, 0, 0);
  std::uint32_t state = 1;
  for (auto& value : noise.pixels)
    value = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  for (const auto& [height, width] :
       {std::pair{10, 10}, {23, 7}, {40, 31}, {50, 64}, {1, 1}, {22, 30}}) {
    const Image expected = resize_by_definition(noise, height, width);
    EXPECT_LE(largest_difference(resize(noise, height, width), expected), 1)
        << height << " x " << width;
  }
}

TEST(Resize, KeepsPlainColoursAndTheSameSizeExactly) {
  EXPECT_EQ(resize(plain(301, 77, 255, 0, 128), 40, 150), plain(40, 150, 255, 0, 128));
  EXPECT_EQ(resize(gradient(15, 16), 15, 16), gradient(15, 16));
}

TEST(Image, ScaledDecodingStaysNearTheFullOne) {
  const Bytes bytes = jpeg_bytes(gradient(640, 480));
  EXPECT_EQ(decode_jpeg(bytes, 150, 100).image.height, 160);
  EXPECT_EQ(decode_jpeg(bytes, 161, 100).image.height, 320);
  EXPECT_EQ(decode_jpeg(bytes, 2000, 100).image.height, 640);
  const Image full = decode_jpeg(bytes, 640, 480).image;
  EXPECT_LE(largest_difference(decode_image(bytes, 150, 100), resize(full, 150, 100)), 3);
}

TEST(Image, RefusesSizesBeyondTheLimits) {
  EXPECT_NO_THROW(check_image_size(kMaxImageSide, 4096));
  EXPECT_THROW(check_image_size(kMaxImageSide + 1, 1), ImageError);
  EXPECT_THROW(check_image_size(16384, 8193), ImageError);
  EXPECT_THROW(check_image_size(0, 5), ImageError);
}

}  // namespace
}  // namespace ranksweep::worker
