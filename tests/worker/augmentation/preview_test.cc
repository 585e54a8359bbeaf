#include "worker/augmentation/preview.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/image.h"

namespace ranksweep::worker {
namespace {

class Preview : public ::testing::Test {
 protected:
  void SetUp() override { setenv("RANKSWEEP_CACHE", (folder_.path() / "cache").c_str(), 1); }
  TemporaryFolder folder_;
};

TEST_F(Preview, DrawsARowForEachAugmentationAndImage) {
  for (const char* name :
       {"train/a/1.png", "train/a/2.png", "train/b/3.png", "val/a/4.png", "val/b/5.png"}) {
    folder_.write(std::string("faces/") + name, png_bytes(gradient(30, 40)));
  }
  sweeps::SweepSpec sweep;
  sweep.data.path = folder_.path() / "faces";
  sweep.trials.resize(3);
  for (auto& trial : sweep.trials) trial.image_size = {30, 40};
  sweep.trials[1].augmentation = *sweeps::find_augmentation_preset("strong");
  sweep.trials[2].augmentation.rotation = 90;

  const auto path = folder_.path() / "preview.png";
  write_preview(sweep, {.images = 2, .variants = 3}, path);
  // Three presets and one augmentation of the sweep's own, of two images each: the sheet has the
  // size that it says, and an original at its left end.
  const Image sheet = decode_image_file(path, 26 + 8 * 36, 600);
  EXPECT_EQ(sheet.height, 314);
  std::ifstream file(path, std::ios::binary);
  char header[24];
  file.read(header, sizeof(header));
  EXPECT_EQ(static_cast<unsigned char>(header[22]) * 256 + static_cast<unsigned char>(header[23]),
            314);
}

// A trial does not count the files that it skips, and neither may a preview.
TEST_F(Preview, ShowsTheSameWithAndWithoutAFileThatIsSkipped) {
  for (const char* name : {"train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png"}) {
    folder_.write(std::string("faces/") + name, png_bytes(gradient(30, 40)));
  }
  sweeps::SweepSpec sweep;
  sweep.data.path = folder_.path() / "faces";
  sweep.data.on_bad_file = sweeps::DataSpec::OnBadFile::skip;
  sweep.trials.resize(1);
  sweep.trials[0].image_size = {30, 40};
  const auto preview = [&](const char* name) {
    write_preview(sweep, {.images = 2, .variants = 3}, folder_.path() / name);
    return decode_image_file(folder_.path() / name, 200, 600);
  };
  const Image before = preview("before.png");
  folder_.write("faces/train/a/0.png", std::string("no image"));
  EXPECT_EQ(preview("after.png"), before);
}

TEST_F(Preview, RefusesToShowNothing) {
  sweeps::SweepSpec sweep;
  EXPECT_THROW(write_preview(sweep, {.images = 0}, "x.png"), std::invalid_argument);
}

}  // namespace
}  // namespace ranksweep::worker
