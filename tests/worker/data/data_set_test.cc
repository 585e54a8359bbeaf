#include "worker/data/data_set.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/fingerprint.h"
#include "worker/data/leakage.h"

namespace ranksweep::worker {
namespace {

using sweeps::DataSpec;
using ::testing::ElementsAre;

DataSpec spec_of(const std::filesystem::path& path, std::optional<double> fraction = {},
                 std::int64_t seed = 0) {
  DataSpec spec;
  spec.path = path;
  spec.validation_fraction = fraction;
  spec.split_seed = seed;
  return spec;
}

std::vector<std::string> names(const std::vector<Sample>& samples) {
  std::vector<std::string> result;
  for (const Sample& sample : samples) {
    result.push_back(fmt::format("{} {} {}", sample.name, sample.label, sample.group));
  }
  return result;
}

TEST(DataSet, ListsTrainValAndTest) {
  const TemporaryFolder folder;
  for (const char* name : {"train/smile/b.jpg", "train/smile/a.png", "train/neutral/ann/1.jpg",
                           "val/smile/c", "val/neutral/.hidden", "val/neutral/d.jpg",
                           "val/neutral/Thumbs.db", "test/smile/e.jpg", "notes.txt"}) {
    folder.write(name, std::string("x"));
  }
  const DataSet data = list_data_set(spec_of(folder.path()));
  EXPECT_THAT(data.classes, ElementsAre("neutral", "smile"));
  EXPECT_THAT(names(data.train), ElementsAre("train/neutral/ann/1.jpg 0 ann",
                                             "train/smile/a.png 1 ", "train/smile/b.jpg 1 "));
  EXPECT_THAT(names(data.validation), ElementsAre("val/neutral/d.jpg 0 ", "val/smile/c 1 "));
  EXPECT_THAT(names(data.test), ElementsAre("test/smile/e.jpg 1 "));
  EXPECT_EQ(data.train[1].path, folder.path() / "train/smile/a.png");
}

TEST(DataSet, ReadsAManifest) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("list.csv", std::string("\xEF\xBB\xBFlabel,path,person,split,note\r\n"
                                           "smile,a.jpg,ann,train,\"one, two\"\r\n"
                                           "neutral,\"b \"\"q\"\".jpg\",ann,train,\n"
                                           "\n"
                                           "smile,sub/c.jpg,bob,val,\n"
                                           "neutral,d.jpg,bob,val,"));
  const DataSet data = list_data_set(spec_of(path));
  EXPECT_THAT(names(data.train), ElementsAre("a.jpg 1 ann", "b \"q\".jpg 0 ann"));
  EXPECT_THAT(names(data.validation), ElementsAre("d.jpg 0 bob", "sub/c.jpg 1 bob"));
  EXPECT_EQ(data.validation[1].path, folder.path() / "sub/c.jpg");
}

// A manifest without splits: `persons` persons with one image of each of two classes, and `singles`
// images of either class that belong to nobody.
std::string manifest_of(int persons, int singles) {
  std::string text = "path,label,group\n";
  for (int i = 0; i < persons; ++i) text += fmt::format("p{0}a,smile,{0}\np{0}b,neutral,{0}\n", i);
  for (int i = 0; i < singles; ++i) text += fmt::format("s{0}a,smile,\ns{0}b,neutral,\n", i);
  return text;
}

std::map<int, int> count_classes(const std::vector<Sample>& samples) {
  std::map<int, int> counts;
  for (const Sample& sample : samples) ++counts[sample.label];
  return counts;
}

TEST(StratifiedSplit, KeepsGroupsTogetherAndClassesInProportion) {
  const TemporaryFolder folder;
  const auto path = folder.write("list.csv", manifest_of(40, 30));
  const DataSet data = list_data_set(spec_of(path, 0.2));
  EXPECT_EQ(count_classes(data.validation), (std::map<int, int>{{0, 14}, {1, 14}}));
  EXPECT_EQ(count_classes(data.train), (std::map<int, int>{{0, 56}, {1, 56}}));
  std::set<std::string> groups;
  for (const Sample& sample : data.train) groups.insert(sample.group);
  for (const Sample& sample : data.validation) {
    EXPECT_TRUE(sample.group.empty() || !groups.contains(sample.group)) << sample.name;
  }
}

TEST(StratifiedSplit, DependsOnTheSeedAndNothingElse) {
  const TemporaryFolder folder;
  const auto path = folder.write("list.csv", manifest_of(20, 20));
  const auto validation = [&](std::int64_t seed) {
    return names(list_data_set(spec_of(path, 0.25, seed)).validation);
  };
  EXPECT_EQ(validation(1), validation(1));
  EXPECT_NE(validation(1), validation(2));
}

TEST(StratifiedSplit, LeavesAClassOnBothSidesHoweverSmallTheFraction) {
  const TemporaryFolder folder;
  const auto path = folder.write("list.csv", manifest_of(0, 5));
  EXPECT_EQ(count_classes(list_data_set(spec_of(path, 0.01)).validation),
            (std::map<int, int>{{0, 1}, {1, 1}}));
}

TEST(Leakage, IsAGroupOrTheSameBytesInTwoSplits) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) folder.write(name, name);
  folder.write("again", "a");
  const auto path = folder.write("list.csv",
                                 "path,label,group,split\n"
                                 "a,x,ann,train\nb,y,ann,train\nc,x,bob,train\n"
                                 "again,x,,val\nd,y,bob,val\ne,x,bob,val\nf,y,carl,val\n");
  const DataSet data = list_data_set(spec_of(path));
  EXPECT_THAT(find_leakage(data, hash_files(data, DataSpec::OnBadFile::fail)),
              ElementsAre("a (train) and again (val) have the same bytes",
                          "the group bob is in train and in val"));
}

TEST(Leakage, DuplicatesWithinASplitAreNone) {
  const TemporaryFolder folder;
  const auto path = folder.write("list.csv",
                                 "path,label,group,split\n"
                                 "a,x,,train\nb,x,,train\nc,y,,train\nd,x,,val\ne,y,,val\n");
  folder.write("a", "same");
  folder.write("b", "same");
  for (const char* name : {"c", "d", "e"}) folder.write(name, name);
  const DataSet data = list_data_set(spec_of(path));
  EXPECT_THAT(find_leakage(data, hash_files(data, DataSpec::OnBadFile::fail)), ElementsAre());
}

TEST(Fingerprint, DependsOnContentAndNotOnThePlace) {
  const auto fill = [](const TemporaryFolder& folder) {
    for (const char* name : {"train/a/1", "train/b/2", "val/a/3", "val/b/4"}) {
      folder.write(name, std::string(name));
    }
  };
  const TemporaryFolder first, second;
  fill(first);
  fill(second);
  const auto print = [](const TemporaryFolder& folder) {
    return fingerprint(list_data_set(spec_of(folder.path())));
  };
  const std::string original = print(first);
  EXPECT_EQ(original.size(), 32U);
  EXPECT_EQ(print(second), original);
  second.write("val/b/4", std::string("val/b/5"));
  EXPECT_NE(print(second), original);
  second.write("val/b/4", std::string("val/b/4"));
  EXPECT_EQ(print(second), original);
  std::filesystem::rename(second.path() / "val/b/4", second.path() / "val/b/5");
  EXPECT_NE(print(second), original);
}

TEST(Fingerprint, NamesEveryFileThatCannotBeRead) {
  const TemporaryFolder folder;
  for (const char* name : {"train/a/1", "train/b/2", "val/a/3", "val/b/4"}) {
    folder.write(name, std::string(name));
  }
  const DataSet data = list_data_set(spec_of(folder.path()));
  std::filesystem::remove(folder.path() / "train/b/2");
  std::filesystem::remove(folder.path() / "val/a/3");
  try {
    fingerprint(data);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "some images cannot be read; mend or remove them, or set on_bad_file: skip\n"
                 "train/b/2 cannot be read: No such file or directory\n"
                 "val/a/3 cannot be read: No such file or directory");
  }
  EXPECT_EQ(fingerprint(data, DataSpec::OnBadFile::skip).size(), 32U);
}

TEST(DataSet, ListsTheLondonFaces) {
  const std::filesystem::path path = RANKSWEEP_SOURCE_DIR "/../shared/data/london_faces";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const DataSet folder = list_data_set(spec_of(path));
  const DataSet manifest = list_data_set(spec_of(path / "manifest.csv"));
  EXPECT_EQ(folder.train.size(), 124U);
  EXPECT_EQ(folder.validation.size(), 20U);
  EXPECT_EQ(fingerprint(folder), fingerprint(manifest));
}

}  // namespace
}  // namespace ranksweep::worker
