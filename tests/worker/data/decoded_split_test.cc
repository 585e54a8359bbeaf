#include "worker/data/decoded_split.h"

#include <csignal>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/worker/data/image_files.h"
#include "worker/data/data_set.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;
using sweeps::DataSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kHeight = 6;
constexpr int kWidth = 8;

class DecodedSplitTest : public ::testing::Test {
 protected:
  DecodedSplitTest() {
    spec_.path = folder_.path() / "faces";
    int blue = 0;
    for (const char* name : {"train/a/1.png", "train/a/2.png", "train/b/3.png", "val/a/4.png",
                             "val/b/5.png", "test/b/6.png"}) {
      folder_.write(std::string("faces/") + name, png_bytes(gradient(kHeight, kWidth, ++blue)));
    }
  }

  DecodedData open(const DecodeProgress& progress = {}) const {
    const DataSet data = list_data_set(spec_);
    return open_decoded(data, spec_, fingerprint(data, spec_.on_bad_file), kHeight, kWidth, cache(),
                        progress);
  }
  std::string error_of_open() const {
    try {
      open();
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  }
  fs::path cache() const { return folder_.path() / "cache"; }
  fs::path cache_file() const {
    for (const auto& entry : fs::directory_iterator(cache())) {
      if (entry.path().extension() == ".images") return entry.path();
    }
    return {};
  }

  TemporaryFolder folder_;
  DataSpec spec_;
};

std::vector<int> blues(const DecodedSplit& split) {
  std::vector<int> result;
  for (std::size_t i = 0; i < split.size(); ++i) {
    result.push_back(split.pixels[i * kHeight * kWidth * 3 + 2]);
  }
  return result;
}

std::vector<std::int64_t> labels(const DecodedSplit& split) {
  return {split.labels.begin(), split.labels.end()};
}

TEST_F(DecodedSplitTest, HoldsEverySplitInTheOrderOfTheDataSet) {
  const DecodedData data = open();
  EXPECT_EQ(data.height(), kHeight);
  EXPECT_EQ(data.width(), kWidth);
  EXPECT_THAT(blues(data.train()), ElementsAre(1, 2, 3));
  EXPECT_THAT(labels(data.train()), ElementsAre(0, 0, 1));
  EXPECT_THAT(blues(data.validation()), ElementsAre(4, 5));
  EXPECT_THAT(labels(data.validation()), ElementsAre(0, 1));
  EXPECT_THAT(blues(data.test()), ElementsAre(6));
  const Image first = gradient(kHeight, kWidth, 1);
  EXPECT_TRUE(std::equal(first.pixels.begin(), first.pixels.end(), data.train().pixels.begin()));
}

TEST_F(DecodedSplitTest, DecodesOnlyOnce) {
  int calls = 0;
  const auto count = [&](std::size_t, std::size_t) { ++calls; };
  open(count);
  EXPECT_GT(calls, 0);
  calls = 0;
  EXPECT_THAT(blues(open(count).train()), ElementsAre(1, 2, 3));
  EXPECT_EQ(calls, 0);
}

TEST_F(DecodedSplitTest, AFileThatVanishesLaterIsNotMissed) {
  const DataSet data = list_data_set(spec_);
  const std::string print = fingerprint(data);
  open();
  fs::remove(spec_.path / "train/a/1.png");
  EXPECT_THAT(blues(open_decoded(data, spec_, print, kHeight, kWidth, cache()).train()),
              ElementsAre(1, 2, 3));
}

TEST_F(DecodedSplitTest, NoticesEveryDamagedByteAndBuildsAgain) {
  open();
  const auto size = static_cast<std::streamoff>(fs::file_size(cache_file()));
  for (const std::streamoff at :
       {std::streamoff{0}, std::streamoff{20}, std::streamoff{4096}, size - 1}) {
    {
      std::fstream file(cache_file(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const char byte = static_cast<char>(file.get());
      file.seekp(at);
      file.put(static_cast<char>(byte ^ 1));
    }
    int calls = 0;
    EXPECT_THAT(blues(open([&](std::size_t, std::size_t) { ++calls; }).train()),
                ElementsAre(1, 2, 3));
    EXPECT_GT(calls, 0) << "byte " << at;
  }
}

TEST_F(DecodedSplitTest, NoticesATruncatedFileAndBuildsAgain) {
  open();
  for (const std::uintmax_t size :
       {std::uintmax_t{0}, std::uintmax_t{100}, fs::file_size(cache_file()) - 1}) {
    fs::resize_file(cache_file(), size);
    EXPECT_THAT(blues(open().validation()), ElementsAre(4, 5));
  }
}

TEST_F(DecodedSplitTest, IsBuiltByOneOfManyProcesses) {
  constexpr int kProcesses = 6;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      std::size_t decoded = 0;
      const DecodedData data = open([&](std::size_t done, std::size_t) { decoded = done; });
      const bool right = blues(data.train()) == std::vector<int>{1, 2, 3};
      _exit(!right ? 2 : decoded > 0 ? 1 : 0);
    }
    children.push_back(child);
  }
  int builders = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_LE(WEXITSTATUS(status), 1);
    builders += WEXITSTATUS(status);
  }
  EXPECT_EQ(builders, 1);
}

TEST_F(DecodedSplitTest, ABuilderThatIsKilledLeavesNothingThatStandsInTheWay) {
  const pid_t child = fork();
  if (child == 0) {
    open([](std::size_t, std::size_t) { std::raise(SIGKILL); });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(cache_file().empty());
  EXPECT_THAT(blues(open().train()), ElementsAre(1, 2, 3));
}

TEST_F(DecodedSplitTest, WhatTheProgressThrowsEndsTheBuilding) {
  const auto stop = [](std::size_t, std::size_t) { throw std::runtime_error("stop"); };
  EXPECT_THROW(open(stop), std::runtime_error);
  EXPECT_TRUE(cache_file().empty());
}

TEST_F(DecodedSplitTest, ListsBadFilesOrFails) {
  folder_.write("faces/train/a/2.png", std::string("no image"));
  folder_.write("faces/val/b/5.png", std::string());
  folder_.write("faces/val/b/7.png", png_bytes(gradient(kHeight, kWidth, 7)));
  EXPECT_EQ(error_of_open(),
            "2 of the images cannot be used; mend or remove them, or set on_bad_file: skip\n"
            "train/a/2.png is neither a JPEG nor a PNG image\n"
            "val/b/5.png is empty");
  EXPECT_TRUE(cache_file().empty());

  spec_.on_bad_file = DataSpec::OnBadFile::skip;
  for (int i = 0; i < 2; ++i) {  // built, then from the cache
    const DecodedData data = open();
    EXPECT_THAT(blues(data.train()), ElementsAre(1, 3));
    EXPECT_THAT(labels(data.train()), ElementsAre(0, 1));
    EXPECT_THAT(blues(data.validation()), ElementsAre(4, 7));
    EXPECT_THAT(data.bad_files(),
                ElementsAre(BadFile{"train/a/2.png", "is neither a JPEG nor a PNG image"},
                            BadFile{"val/b/5.png", "is empty"}));
  }
  spec_.on_bad_file = DataSpec::OnBadFile::fail;
  EXPECT_THAT(error_of_open(), HasSubstr("2 of the images cannot be used"));
}

TEST_F(DecodedSplitTest, ShowsTwentyBadFilesAndTheirNumber) {
  for (int i = 0; i < 30; ++i) {
    folder_.write("faces/train/a/bad" + std::to_string(i), std::string());
  }
  const std::string error = error_of_open();
  EXPECT_THAT(error, HasSubstr("30 of the images cannot be used"));
  EXPECT_THAT(error, HasSubstr("\n... and 10 more"));
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 21);
}

TEST_F(DecodedSplitTest, RefusesImagesThatAreNotThoseOfTheFingerprint) {
  const DataSet data = list_data_set(spec_);
  const std::string print = fingerprint(data);
  folder_.write("faces/train/a/1.png", png_bytes(gradient(kHeight, kWidth, 99)));
  EXPECT_THROW(open_decoded(data, spec_, print, kHeight, kWidth, cache()), DataError);
  EXPECT_TRUE(cache_file().empty());
}

TEST_F(DecodedSplitTest, SaysWhatAFullDiskNeeds) {
  const pid_t child = fork();
  if (child == 0) {  // a limit on the size of files stands in for a full disk
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string expected =
        cache().string() +
        ": no room for the decoded images: 5008 bytes are needed; free some "
        "space, or set RANKSWEEP_CACHE to another folder";
    _exit(error_of_open() == expected ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(cache_file().empty());
}

TEST_F(DecodedSplitTest, SaysWhenTheFolderCannotBeWritten) {
  folder_.write("cache", std::string("a file where the folder should be"));
  EXPECT_EQ(error_of_open(), cache().string() +
                                 ": the cache's folder cannot be made: Not a directory; set "
                                 "RANKSWEEP_CACHE to another one");
}

TEST(DefaultCacheFolder, FollowsTheEnvironment) {
  setenv("RANKSWEEP_CACHE", "/r", 1);
  setenv("XDG_CACHE_HOME", "/x", 1);
  setenv("HOME", "/h", 1);
  setenv("TMPDIR", "/t", 1);
  EXPECT_EQ(default_cache_folder(), "/r");
  unsetenv("RANKSWEEP_CACHE");
  EXPECT_EQ(default_cache_folder(), "/x/ranksweep");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(default_cache_folder(), "/h/.cache/ranksweep");
  unsetenv("HOME");
  EXPECT_EQ(default_cache_folder(), "/t/ranksweep-cache");
  unsetenv("TMPDIR");
  EXPECT_EQ(default_cache_folder(), "/tmp/ranksweep-cache");
}

}  // namespace
}  // namespace ranksweep::worker
