#include "worker/training/batch_loader.h"

#include <atomic>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace ranksweep::worker {
namespace {

TEST(BatchLoader, GivesTheBatchesInOrder) {
  BatchLoader loader(2, 40, torch::kCPU, [](int index) { return torch::full({1}, index); });
  for (int index = 2; index < 40; ++index) EXPECT_EQ(loader.next().item<int>(), index);
}

TEST(BatchLoader, KeepsAFewBatchesReadyAndNoMore) {
  std::atomic<int> prepared = 0;
  {
    BatchLoader loader(0, 1000, torch::kCPU, [&](int index) {
      ++prepared;
      return torch::full({1}, index);
    });
    loader.next();
  }
  // One taken, two that lie ready, one in work.
  EXPECT_GE(prepared, 1);
  EXPECT_LE(prepared, 4);
}

TEST(BatchLoader, AFailureReachesTheLoopAfterTheBatchesBeforeIt) {
  BatchLoader loader(0, 5, torch::kCPU, [](int index) {
    if (index == 1) throw std::runtime_error("no batch 1");
    return torch::full({1}, index);
  });
  EXPECT_EQ(loader.next().item<int>(), 0);
  EXPECT_THROW(loader.next(), std::runtime_error);
  EXPECT_THROW(loader.next(), std::runtime_error);
}

TEST(BatchLoader, EndsWhileItsQueueIsFullOrNothingWasTaken) {
  for (int i = 0; i < 50; ++i) {
    BatchLoader loader(0, 1000, torch::kCPU, [](int index) { return torch::full({1}, index); });
    if (i % 2 == 0) loader.next();
  }
}

TEST(BatchLoader, WorksOnOneThreadAndLeavesTheOthersToTheSteps) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  std::atomic<int> in_loader = 0;
  BatchLoader loader(0, 1, torch::kCPU, [&](int) {
    in_loader = at::get_num_threads();
    return torch::zeros({1});
  });
  loader.next();
  EXPECT_EQ(in_loader, 1);
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

}  // namespace
}  // namespace ranksweep::worker
