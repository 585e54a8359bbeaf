#include "tools/cli/scratch_folder.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"
#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

namespace fs = std::filesystem;

class ScratchFolderTest : public testing::Test {
 protected:
  fs::path cache() const { return folder_ / ("ranksweep-" + std::to_string(::getuid())); }

  const TemporaryFolder folder_;
};

TEST_F(ScratchFolderTest, TheLastToLeaveRemovesIt) {
  std::optional<ScratchFolder> first(folder_.path());
  std::optional<ScratchFolder> second(folder_.path());
  EXPECT_EQ(std::getenv("RANKSWEEP_CACHE"), cache().string());
  std::ofstream(cache() / "faces.images") << "pixels";
  first.reset();
  EXPECT_TRUE(fs::exists(cache() / "faces.images"));
  second.reset();
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ScratchFolderTest, WhatAKillLeftIsUsedAndRemoved) {
  fs::create_directory(cache());
  std::ofstream(cache() / "faces.images") << "pixels";
  std::ofstream(cache().string() + ".lock") << "";
  {
    const ScratchFolder scratch(folder_.path());
    EXPECT_TRUE(fs::exists(cache() / "faces.images"));
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ScratchFolderTest, SaysWhyItCannotBe) {
  std::ofstream(folder_ / "file") << "";
  EXPECT_THROW(ScratchFolder(folder_ / "file"), CommandError);
  std::ofstream(cache()) << "not a folder";
  EXPECT_THROW(ScratchFolder{folder_.path()}, CommandError);
}

}  // namespace
}  // namespace ranksweep::cli
