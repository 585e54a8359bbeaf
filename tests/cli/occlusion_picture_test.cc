#include "tools/cli/occlusion_picture.h"

#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

worker::Image green(int height, int width) {
  worker::Image image{.height = height, .width = width, .pixels = {}};
  for (int i = 0; i < height * width; ++i) image.pixels.insert(image.pixels.end(), {0, 200, 0});
  return image;
}

struct Pixel {
  int red, green, blue;
};

Pixel at(const worker::Image& image, int y, int x) {
  const auto* pixel = &image.pixels.at(static_cast<std::size_t>((y * image.width + x) * 3));
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(OcclusionPicture, IsRedForTheClassAndBlueAgainstIt) {
  const worker::Image picture = draw_occlusion(green(20, 30), {{5, 0}, {0, -5}});
  const Pixel favour = at(picture, 0, 0);
  EXPECT_GT(favour.red, favour.green + 50);
  EXPECT_GT(favour.red, favour.blue + 50);
  const Pixel against = at(picture, 19, 29);
  EXPECT_GT(against.blue, against.red + 50);
}

TEST(OcclusionPicture, IsGreyWhereTheNetworkIsIndifferent) {
  const worker::Image picture = draw_occlusion(green(3, 4), {{0, 0, 0}});
  const Pixel pixel = at(picture, 2, 3);
  EXPECT_EQ(pixel.red, pixel.green);
  EXPECT_EQ(pixel.green, pixel.blue);
}

}  // namespace
}  // namespace ranksweep::cli
