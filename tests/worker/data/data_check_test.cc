#include "worker/data/data_check.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/worker/data/image_files.h"
#include "worker/data/near_duplicates.h"
#include "worker/data/resize.h"

namespace ranksweep::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A picture of its own for each seed: soft blobs.
Image picture(std::uint32_t seed, int size = 64) {
  Image coarse = plain(5, 5, 0, 0, 0);
  std::uint32_t state = seed * 2654435761U + 1;
  for (auto& value : coarse.pixels) {
    state = state * 1664525 + 1013904223;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  return resize(coarse, size, size);
}

class DataCheckTest : public ::testing::Test {
 protected:
  DataCheckTest() {
    std::uint32_t seed = 0;
    for (const char* name : {"train/a/ann/1.png", "train/a/ann/2.png", "train/b/bob/3.png",
                             "val/a/cid/4.png", "val/b/dan/5.png"}) {
      folder_.write(name, png_bytes(picture(++seed)));
    }
  }
  DataReport check() const {
    sweeps::DataSpec spec;
    spec.path = folder_.path();
    return check_data(list_data_set(spec));
  }

  TemporaryFolder folder_;
};

TEST_F(DataCheckTest, CountsAndFindsNothingInSoundData) {
  const DataReport report = check();
  EXPECT_FALSE(report.has_leakage());
  EXPECT_THAT(report.bad_files, IsEmpty());
  EXPECT_THAT(report.same_bytes, IsEmpty());
  EXPECT_THAT(report.near_duplicates, IsEmpty());
  EXPECT_EQ(report.imbalance, 2);
  EXPECT_EQ(to_text(report),
            "split        a       b  images  groups\n"
            "train        2       1       3       2\n"
            "val          1       1       2       2\n"
            "\nThe largest class has 2.0 times the images of the smallest to train on; think of "
            "class_weights: balanced.\n"
            "\nNo leakage found.\n");
}

TEST_F(DataCheckTest, FindsTheSameBytesWithinAndAcrossSplits) {
  folder_.write("train/b/copy.png", png_bytes(picture(1)));
  const DataReport within = check();
  ASSERT_EQ(within.same_bytes.size(), 1U);
  EXPECT_THAT(within.same_bytes[0].names, ElementsAre("train/a/ann/1.png", "train/b/copy.png"));
  EXPECT_TRUE(within.same_bytes[0].across_classes);
  EXPECT_FALSE(within.has_leakage());

  folder_.write("val/a/copy.png", png_bytes(picture(2)));
  const DataReport across = check();
  EXPECT_TRUE(across.same_bytes[1].across_splits);
  EXPECT_TRUE(across.has_leakage());
  EXPECT_THAT(to_text(across),
              HasSubstr("train/a/ann/2.png, val/a/copy.png (LEAKAGE: in different splits)"));
}

TEST_F(DataCheckTest, FindsScaledRecompressedAndBrightenedCopies) {
  Image brighter = picture(2);
  for (auto& value : brighter.pixels) value = static_cast<std::uint8_t>(std::min(255, value + 12));
  folder_.write("val/a/small.jpg", jpeg_bytes(resize(picture(1), 40, 50)));
  folder_.write("train/a/bright.png", png_bytes(brighter));
  const DataReport report = check();
  ASSERT_EQ(report.near_duplicates.size(), 2U);
  EXPECT_THAT(report.near_duplicates[0].names, ElementsAre("train/a/ann/1.png", "val/a/small.jpg"));
  EXPECT_TRUE(report.near_duplicates[0].across_splits);
  EXPECT_THAT(report.near_duplicates[1].names,
              ElementsAre("train/a/ann/2.png", "train/a/bright.png"));
  EXPECT_FALSE(report.near_duplicates[1].across_splits);
  EXPECT_TRUE(report.has_leakage());
}

TEST_F(DataCheckTest, FindsGroupsInMoreThanOneSplit) {
  folder_.write("val/a/ann/9.png", png_bytes(picture(9)));
  const DataReport report = check();
  ASSERT_EQ(report.shared_groups.size(), 1U);
  EXPECT_EQ(report.shared_groups[0].name, "ann");
  EXPECT_THAT(report.shared_groups[0].splits, ElementsAre("train", "val"));
  EXPECT_TRUE(report.has_leakage());
}

TEST_F(DataCheckTest, ListsFilesThatDoNotDecode) {
  folder_.write("train/b/none.jpg", std::string());
  folder_.write("val/b/none.jpg", std::string());
  const DataReport report = check();
  EXPECT_THAT(report.bad_files, ElementsAre(BadFile{"train/b/none.jpg", "is empty"},
                                            BadFile{"val/b/none.jpg", "is empty"}));
  EXPECT_FALSE(report.has_leakage());
  EXPECT_THAT(to_text(report),
              HasSubstr("Files that do not decode: 2\n  train/b/none.jpg is empty\n"));
}

TEST_F(DataCheckTest, SaysItAllInJson) {
  folder_.write("val/a/copy.png", png_bytes(picture(2)));
  folder_.write("val/b/bad.jpg", std::string("x"));
  const nlohmann::json json = to_json(check());
  EXPECT_EQ(json["leakage"], true);
  EXPECT_EQ(json["splits"][1]["by_class"]["a"], 2);
  EXPECT_EQ(json["same_bytes"][0]["files"][1], "val/a/copy.png");
  EXPECT_EQ(json["bad_files"][0]["reason"], "is neither a JPEG nor a PNG image");
}

TEST(NearDuplicates, TellsPicturesApart) {
  std::vector<Look> looks;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    looks.push_back(make_look(resize(picture(seed), Look::kRows, Look::kColumns)));
  }
  EXPECT_THAT(find_near_duplicates(looks), IsEmpty());
}

TEST(DataCheck, FindsNoLeakageInTheLondonFaces) {
  const std::filesystem::path path = RANKSWEEP_SOURCE_DIR "/../shared/data/london_faces";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  sweeps::DataSpec spec;
  spec.path = path / "manifest.csv";
  const DataReport report = check_data(list_data_set(spec));
  EXPECT_FALSE(report.has_leakage()) << to_text(report);
  EXPECT_EQ(report.splits[0].groups, 62U);
}

}  // namespace
}  // namespace ranksweep::worker
