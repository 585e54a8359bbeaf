// Damages sound inputs in many ways, always the same, and asks for an answer or an error: never a
// crash, which the sanitizers of the dev preset make of any slip. RANKSWEEP_FUZZ_ROUNDS sets how
// long.
#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/data_set.h"
#include "worker/data/image.h"
#include "worker/data/manifest.h"
#include "worker/data/mix.h"

namespace ranksweep::worker {
namespace {

std::uint64_t rounds() {
  const char* value = std::getenv("RANKSWEEP_FUZZ_ROUNDS");
  return value ? std::strtoull(value, nullptr, 10) : 1500;
}

// The `round`-th damage: a few bytes changed, swapped for telling values, cut out, doubled or cut
// off.
Bytes damage(Bytes bytes, std::uint64_t round) {
  std::uint64_t drawn = 0;
  const auto below = [&](std::size_t limit) {
    return static_cast<std::size_t>(mix({round, ++drawn}) % std::max<std::size_t>(limit, 1));
  };
  const std::size_t changes = 1 + below(4);
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    // Mostly where the headers are.
    const std::size_t at =
        below(below(3) ? std::min<std::size_t>(bytes.size(), 700) : bytes.size());
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(below(256));
        break;
      case 1:
        bytes[at] = std::array<std::uint8_t, 4>{0, 1, 0x7F, 0xFF}[below(4)];
        break;
      case 2:
        bytes.erase(place,
                    place + static_cast<std::ptrdiff_t>(std::min(below(16), bytes.size() - at)));
        break;
      case 3:
        bytes.insert(place, bytes[at]);
        break;
      default:
        if (below(4) == 0) bytes.resize(at);
    }
  }
  return bytes;
}

TEST(Fuzz, ImagesDecodeOrAreRefused) {
  const Image image = gradient(40, 48);
  const std::vector<Bytes> seeds = {
      jpeg_bytes(image, JpegColors::rgb, 6),    jpeg_bytes(image, JpegColors::rgb, 0, true),
      jpeg_bytes(image, JpegColors::grey),      jpeg_bytes(image, JpegColors::adobe_cmyk),
      png_bytes(image, PngColors::rgba, 99, 6), png_bytes(image, PngColors::rgb16),
      png_bytes(image, PngColors::palette),     png_bytes(image, PngColors::grey_alpha, 7)};
  int refused = 0, decoded = 0;
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    try {
      const Image result = decode_image(damage(seeds[round % seeds.size()], round), 20, 24);
      ASSERT_EQ(result.pixels.size(), 20U * 24 * 3);
      ++decoded;
    } catch (const ImageError& error) {
      ASSERT_STRNE(error.what(), "");
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(decoded, 0);
}

TEST(Fuzz, ManifestsAreReadOrRefused) {
  const std::string sound =
      "path,label,person,split\ntrain/a.jpg,smile,001,train\n\"b, c.jpg\",neutral,002,val\r\n"
      "\"d \"\"e\"\".png\",smile,003,test\n";
  int refused = 0, read = 0;
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    const Bytes bytes = damage({sound.begin(), sound.end()}, round);
    std::istringstream input(std::string(bytes.begin(), bytes.end()));
    try {
      for (const ManifestRow& row : read_manifest(input, "m.csv")) {
        ASSERT_FALSE(row.path.empty());
        ASSERT_FALSE(row.label.empty());
      }
      ++read;
    } catch (const DataError& error) {
      ASSERT_TRUE(std::string(error.what()).starts_with("m.csv:")) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace ranksweep::worker
