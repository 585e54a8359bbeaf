#include "worker/training/device_memory.h"

#include <cstring>

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace ranksweep::worker {
namespace {

constexpr std::size_t kBytes = std::size_t{256} << 20;

// Straight from the kernel: an allocator may keep what it is given back.
void hold_for_a_moment() {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kBytes);
  munmap(memory, kBytes);
}

TEST(PeakMemory, RemembersWhatWasHeldAndForgetsItWhenItStartsAgain) {
  PeakMemory peak(torch::kCPU);
  peak.restart();
  const std::int64_t before = peak.bytes();
  EXPECT_GT(before, 1 << 20);
  hold_for_a_moment();
  EXPECT_GT(peak.bytes(), before + std::int64_t{kBytes} * 9 / 10);
  peak.restart();
  EXPECT_LT(peak.bytes(), before + std::int64_t{kBytes} / 2);
}

TEST(DeviceMemory, IsMoreThanThisProcessHolds) {
  PeakMemory peak(torch::kCPU);
  peak.restart();
  EXPECT_GT(memory_of(torch::kCPU), peak.bytes());
}

TEST(PeakMemory, IsNotKnownBeforeItStarts) { EXPECT_EQ(PeakMemory(torch::kCPU).bytes(), 0); }

}  // namespace
}  // namespace ranksweep::worker
