#include "worker/training/feature_store.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/temporary_folder.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

torch::Tensor numbers(int first) { return torch::arange(first, first + 12.0).view({4, 3}); }

class FeatureStoreTest : public testing::Test {
 protected:
  // The pass of `key`, whose values begin with `first` where it has to be computed.
  torch::Tensor get(FeatureStore& store, const std::string& key, int first) {
    return store.get(
        key, [&] { return numbers(first); }, [] {});
  }
  std::vector<fs::path> files(const std::string& extension = ".features") const {
    std::vector<fs::path> found;
    if (!fs::exists(cache())) return found;
    for (const auto& entry : fs::directory_iterator(cache())) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    return found;
  }
  fs::path cache() const { return folder_ / "cache"; }

  TemporaryFolder folder_;
};

TEST_F(FeatureStoreTest, ComputesOnceForATrainerAndForTheOthersOfTheNode) {
  FeatureStore first(cache());
  EXPECT_TRUE(get(first, "a", 1).equal(numbers(1)));
  EXPECT_TRUE(get(first, "a", 2).equal(numbers(1)));
  EXPECT_TRUE(get(first, "b", 3).equal(numbers(3)));
  EXPECT_EQ(first.counts().computed, 2);
  EXPECT_EQ(first.counts().used, 3);

  FeatureStore second(cache());
  EXPECT_TRUE(get(second, "a", 4).equal(numbers(1)));
  EXPECT_EQ(second.counts().computed, 0);
  EXPECT_EQ(second.counts().used, 1);
  EXPECT_TRUE(files(".lock").empty());
}

TEST_F(FeatureStoreTest, ADamagedFileIsComputedAgain) {
  FeatureStore(cache()).prepare("a", [] { return numbers(1); });
  const fs::path file = files().at(0);
  const auto size = static_cast<std::streamoff>(fs::file_size(file));
  for (const std::streamoff at : {std::streamoff{2}, std::streamoff{20}, size - 1}) {
    {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(at);
      const char byte = static_cast<char>(stream.get());
      stream.seekp(at);
      stream.put(static_cast<char>(byte ^ 1));
    }
    FeatureStore store(cache());
    EXPECT_TRUE(get(store, "a", 1).equal(numbers(1)));
    EXPECT_EQ(store.counts().computed, 1) << "byte " << at;
  }
  for (const std::uintmax_t left :
       {std::uintmax_t{0}, std::uintmax_t{9}, fs::file_size(file) - 1}) {
    fs::resize_file(file, left);
    FeatureStore store(cache());
    EXPECT_TRUE(get(store, "a", 1).equal(numbers(1)));
    EXPECT_EQ(store.counts().computed, 1) << left << " bytes left";
  }
}

TEST_F(FeatureStoreTest, APassInUseOutlivesItsFile) {
  FeatureStore store(cache());
  const torch::Tensor features = get(store, "a", 1);
  fs::remove(files().at(0));
  EXPECT_TRUE(features.equal(numbers(1)));
  EXPECT_TRUE(get(store, "a", 2).equal(numbers(1)));
}

TEST_F(FeatureStoreTest, IsComputedByOneOfManyProcesses) {
  constexpr int kProcesses = 6;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      FeatureStore store(cache());
      int waits = 0;
      const torch::Tensor features = store.get(
          "a",
          [&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            return numbers(i);
          },
          [&] { ++waits; });
      const bool right = features.numel() == 12;
      _exit(!right ? 2 : store.counts().computed);
    }
    children.push_back(child);
  }
  int computed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_LE(WEXITSTATUS(status), 1);
    computed += WEXITSTATUS(status);
  }
  EXPECT_EQ(computed, 1);
}

TEST_F(FeatureStoreTest, ATrainerThatIsKilledAtAPassStandsInNobodysWay) {
  const pid_t child = fork();
  if (child == 0) {
    FeatureStore store(cache());
    store.prepare("a", [] {
      std::raise(SIGKILL);
      return numbers(1);
    });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  FeatureStore store(cache());
  EXPECT_TRUE(get(store, "a", 2).equal(numbers(2)));
  EXPECT_TRUE(files(".lock").empty());
}

TEST_F(FeatureStoreTest, WaitsUsefully) {
  fs::create_directories(cache());
  FeatureStore other(cache());
  FeatureStore store(cache());
  // The other trainer ends its pass once this one has prepared another meanwhile.
  std::jthread at_work([&] {
    other.prepare("a", [&] {
      while (files().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return numbers(1);
    });
  });
  while (files(".lock").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const torch::Tensor features = store.get(
      "a", [] { return numbers(9); },
      [&] {
        EXPECT_FALSE(store.prepare("a", [] { return numbers(9); }));  // in work
        store.prepare("b", [] { return numbers(2); });
      });
  EXPECT_TRUE(features.equal(numbers(1)));
  EXPECT_FALSE(store.prepare("a", [] { return numbers(9); }));  // there
  EXPECT_EQ(store.counts().computed, 1);
}

TEST_F(FeatureStoreTest, WhatAPassThrowsEndsIt) {
  FeatureStore store(cache());
  const auto stop = []() -> torch::Tensor { throw std::runtime_error("stop"); };
  EXPECT_THROW(store.get("a", stop, [] {}), std::runtime_error);
  EXPECT_TRUE(files().empty());
  EXPECT_TRUE(get(store, "a", 1).equal(numbers(1)));
}

TEST_F(FeatureStoreTest, TheLeastRecentlyUsedMakeRoom) {
  const std::uint64_t bytes = [&] {  // of a file
    FeatureStore(folder_ / "other").prepare("a", [] { return numbers(1); });
    return fs::file_size(fs::directory_iterator(folder_ / "other")->path());
  }();
  const FeatureStore::Limits limits{.folder = 2 * bytes + 10, .memory = 0};
  const auto later = [](int seconds) {
    return fs::file_time_type::clock::now() + std::chrono::seconds(seconds);
  };
  FeatureStore store(cache(), limits);
  get(store, "a", 1);
  fs::last_write_time(files().at(0), later(-100));
  const fs::path a = files().at(0);
  get(store, "b", 2);
  for (const fs::path& file : files()) {
    if (file != a) fs::last_write_time(file, later(-50));
  }
  FeatureStore other(cache(), limits);
  get(other, "a", 9);  // used again
  get(store, "c", 3);  // so b goes
  EXPECT_EQ(files().size(), 2U);
  FeatureStore reader(cache(), limits);
  EXPECT_TRUE(get(reader, "a", 9).equal(numbers(1)));
  EXPECT_TRUE(get(reader, "c", 9).equal(numbers(3)));
  EXPECT_TRUE(get(reader, "b", 9).equal(numbers(9)));
}

TEST_F(FeatureStoreTest, APassLargerThanTheFolderMayBeIsKeptInMemory) {
  FeatureStore store(cache(), {.folder = 10, .memory = 1000});
  get(store, "a", 1);
  EXPECT_TRUE(files().empty());
  EXPECT_TRUE(get(store, "a", 2).equal(numbers(1)));
}

TEST_F(FeatureStoreTest, WhatIsInUseStaysInMemory) {
  FeatureStore store(folder_.write("cache", "a file where the folder should be"),
                     {.folder = 1000, .memory = 0});
  const torch::Tensor a = get(store, "a", 1);
  get(store, "b", 2);
  get(store, "c", 3);  // b has to go for it
  EXPECT_TRUE(get(store, "a", 9).equal(numbers(1)));
  EXPECT_TRUE(get(store, "b", 9).equal(numbers(9)));
}

TEST_F(FeatureStoreTest, AFullDiskCostsTheSharingAlone) {
  const pid_t child = fork();
  if (child == 0) {  // a limit on the size of files stands in for a full disk
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64, 64};
    setrlimit(RLIMIT_FSIZE, &limit);
    FeatureStore store(cache());
    const bool right = get(store, "a", 1).equal(numbers(1)) && get(store, "a", 2).equal(numbers(1));
    _exit(right && files().empty() && store.counts().computed == 1 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ranksweep::worker
