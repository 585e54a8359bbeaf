#include "tools/make_faces/make_faces.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/data_set.h"
#include "worker/data/decoded_split.h"

namespace ranksweep::make_faces {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

MakeFacesOptions few_faces(const fs::path& folder) {
  return {.folder = folder,
          .persons = 6,
          .seed = 3,
          .size = 64,
          .validation_fraction = 0.3,
          .pairs = 2};
}

worker::DataSet list(const fs::path& path) {
  sweeps::DataSpec spec;
  spec.path = path;
  return worker::list_data_set(spec);
}

std::string error_of(const MakeFacesOptions& options) {
  try {
    make_faces(options);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(MakeFaces, DrawsTheSameBytesFromTheSameSeed) {
  const TemporaryFolder folder;
  MakeFacesOptions options = few_faces(folder.path() / "a");
  make_faces(options);
  options.folder = folder.path() / "b";
  make_faces(options);
  options.folder = folder.path() / "c";
  options.seed = 4;
  make_faces(options);
  const std::string first = worker::fingerprint(list(folder.path() / "a"));
  EXPECT_EQ(worker::fingerprint(list(folder.path() / "b")), first);
  EXPECT_NE(worker::fingerprint(list(folder.path() / "c")), first);
}

TEST(MakeFaces, BalancesEveryPersonAndSharesNone) {
  const TemporaryFolder folder;
  make_faces(few_faces(folder.path()));
  const worker::DataSet data = list(folder.path() / "manifest.csv");
  EXPECT_EQ(worker::fingerprint(data), worker::fingerprint(list(folder.path())));
  std::map<std::string, std::map<int, int>> counts;
  std::set<std::string> trained;
  for (const auto& sample : data.train) {
    ++counts[sample.group][sample.label];
    trained.insert(sample.group);
  }
  for (const auto& sample : data.validation) {
    ++counts[sample.group][sample.label];
    EXPECT_FALSE(trained.contains(sample.group)) << sample.group;
  }
  EXPECT_EQ(counts.size(), 6U);
  EXPECT_EQ(trained.size(), 4U);
  for (const auto& [person, by_label] : counts) {
    EXPECT_EQ(by_label, (std::map<int, int>{{0, 2}, {1, 2}})) << person;
  }
}

TEST(MakeFaces, DrawsPicturesThatDifferAndHaveTheSizeAskedFor) {
  const TemporaryFolder folder;
  make_faces(few_faces(folder.path()));
  const worker::DataSet data = list(folder.path());
  std::set<std::vector<std::uint8_t>> pictures;
  for (const auto& sample : data.train) {
    const worker::Image image = worker::decode_image_file(sample.path, 64, 64);
    const auto [low, high] = std::minmax_element(image.pixels.begin(), image.pixels.end());
    EXPECT_GT(*high - *low, 60) << sample.name;
    pictures.insert(image.pixels);
  }
  EXPECT_EQ(pictures.size(), data.train.size());
}

TEST(MakeFaces, ReplacesWhatItMadeBefore) {
  const TemporaryFolder folder;
  MakeFacesOptions options = few_faces(folder.path());
  make_faces(options);
  options.persons = 3;
  make_faces(options);
  EXPECT_EQ(list(folder.path()).train.size(), 8U);
}

TEST(MakeFaces, RefusesAFolderThatHoldsSomethingElse) {
  const TemporaryFolder folder;
  folder.write("train/holiday.jpg", std::string("dear"));
  EXPECT_EQ(error_of(few_faces(folder.path())),
            folder.path().string() +
                ": holds something else than made faces; give a new or an empty folder");
  EXPECT_TRUE(fs::exists(folder.path() / "train/holiday.jpg"));
  folder.write("manifest.csv", std::string("path,label\n"));
  EXPECT_THAT(error_of(few_faces(folder.path())), HasSubstr("holds something else"));
  folder.write("file", std::string());
  EXPECT_THAT(error_of(few_faces(folder.path() / "file")), HasSubstr("is a file"));
}

TEST(MakeFaces, NamesTheRangeOfAnOption) {
  const TemporaryFolder folder;
  MakeFacesOptions options = few_faces(folder.path() / "new");
  options.persons = 1;
  EXPECT_EQ(error_of(options), "persons is 1; it must lie between 2 and 9999");
  options = few_faces(folder.path() / "new");
  options.size = 5000;
  EXPECT_EQ(error_of(options), "size is 5000; it must lie between 16 and 2048 pixels");
  options = few_faces(folder.path() / "new");
  options.validation_fraction = 1;
  EXPECT_EQ(error_of(options), "validation_fraction is 1; it must lie between 0 and 1");
  options = few_faces(folder.path() / "new");
  options.pairs = 0;
  EXPECT_EQ(error_of(options), "pairs is 0; it must lie between 1 and 999");
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
}

}  // namespace
}  // namespace ranksweep::make_faces
