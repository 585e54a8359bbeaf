#include "worker/parallel/shared_memory_group.h"

#include <array>
#include <mutex>
#include <numeric>

#include <gmock/gmock.h>

#include "tests/worker/parallel/members.h"

namespace ranksweep::worker {
namespace {

using std::chrono::milliseconds;

class Members : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneToFour, Members, testing::Values(1, 2, 3, 4));

// Numbers whose sum depends on the order of the additions.
float number_of(int member, std::size_t i) {
  return 1.0F / static_cast<float>(member + 1) + static_cast<float>(i % 1013) * 1e-3F;
}
float sum_in_order(int members, std::size_t i) {
  float sum = number_of(0, i);
  for (int member = 1; member < members; ++member) sum += number_of(member, i);
  return sum;
}

TEST_P(Members, SumInTheirOrderWhateverTheSize) {
  as_members(GetParam(), [](GradientGroup& group) {
    for (const std::size_t size : {1U, 17U, 65536U, 200'001U}) {
      std::vector<float> values(size);
      for (std::size_t i = 0; i < size; ++i) values[i] = number_of(group.member(), i);
      group.sum(std::span(values));
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(values[i], sum_in_order(group.members(), i)) << i;
      }
    }
  });
}

TEST_P(Members, SumDoublesManyTimesInARow) {
  as_members(GetParam(), [](GradientGroup& group) {
    for (int round = 0; round < 2000; ++round) {
      std::array<double, 3> values = {1, static_cast<double>(group.member()),
                                      static_cast<double>(round)};
      group.sum(std::span<double>(values));
      const int members = group.members();
      ASSERT_THAT(values,
                  testing::ElementsAre(members, members * (members - 1) / 2, members * round));
    }
  });
}

TEST_P(Members, HearWhatTheLeaderBroadcasts) {
  as_members(GetParam(), [](GradientGroup& group) {
    std::vector<int> values(300'000, group.member());
    if (group.member() == 0) std::iota(values.begin(), values.end(), 5);
    group.broadcast(std::as_writable_bytes(std::span(values)));
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<int>(i) + 5);
  });
}

TEST_P(Members, SumGradientsBesideOtherSums) {
  as_members(GetParam(), [](GradientGroup& group) {
    constexpr std::size_t kCount = 10'007;
    const std::span<float> memory = group.allocate(kCount);
    for (int round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i < kCount; ++i) memory[i] = number_of(group.member(), i);
      group.start_sum(memory.subspan(0, 5000));
      group.start_sum(memory.subspan(5000));
      std::array<double, 1> one = {1};
      group.sum(std::span<double>(one));
      ASSERT_EQ(one[0], group.members());
      group.wait();
      for (std::size_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(memory[i], sum_in_order(group.members(), i)) << i;
      }
    }
    group.release(memory);
    EXPECT_EQ(group.allocate(3)[2], 0);
  });
}

TEST_P(Members, MayBeProcesses) {
  as_processes(GetParam(), [](GradientGroup& group) {
    const std::span<float> memory = group.allocate(1000);
    for (float& value : memory) value = static_cast<float>(1 << group.member());
    group.start_sum(memory);
    group.wait();
    const auto total = static_cast<float>((1 << group.members()) - 1);
    EXPECT_THAT(memory, testing::Each(total));
  });
}

TEST(SharedMemoryGroup, NamesWhoDoesNotCome) {
  SharedMemoryGroup group({.members = 2, .time_limit = milliseconds(100)});
  std::array<float, 1> value = {1};
  EXPECT_THAT([&] { group.sum(std::span<float>(value)); },
              testing::ThrowsMessage<GroupBroken>(testing::HasSubstr("member 1 of the group")));
}

TEST(SharedMemoryGroup, AGradientSumThatFailedIsToldByWait) {
  std::mutex mutex;
  int broken = 0;
  as_members(
      2,
      [&](GradientGroup& group) {
        const std::span<float> memory = group.allocate(10);
        if (group.member() == 1) return;  // and is gone
        group.start_sum(memory);
        EXPECT_THROW(group.wait(), GroupBroken);
        const std::lock_guard lock(mutex);
        ++broken;
      },
      milliseconds(200));
  EXPECT_EQ(broken, 1);
}

TEST(SharedMemoryGroup, IsLeftWithoutWaitingForASumInWork) {
  SharedMemoryGroup leader({.members = 2});
  SharedMemoryGroup other({.members = 2}, 1, leader.token());
  std::thread thread([&] { other.allocate(10); });
  const std::span<float> memory = leader.allocate(10);
  thread.join();
  leader.start_sum(memory);  // nobody else does
}

TEST(SharedMemoryGroup, RefusesTokensThatAreNoneOfThisHost) {
  const SharedMemoryGroup::Options options{.members = 2};
  EXPECT_THAT([&] { SharedMemoryGroup(options, 1, "nonsense"); },
              testing::ThrowsMessage<GroupBroken>(testing::HasSubstr("'nonsense' is no token")));
  EXPECT_THAT([&] { SharedMemoryGroup(options, 1, "shared memory|elsewhere|/proc/1/fd/3|1"); },
              testing::ThrowsMessage<GroupBroken>(testing::HasSubstr("leader is on elsewhere")));
  std::string token;
  {
    const SharedMemoryGroup group(options);
    token = group.token();
  }
  EXPECT_THROW(SharedMemoryGroup(options, 1, token), std::system_error);
  const SharedMemoryGroup another(options);
  const std::string address = another.token().substr(0, another.token().rfind('|'));
  EXPECT_THROW(SharedMemoryGroup(options, 1, address + "|123"), GroupBroken);
}

}  // namespace
}  // namespace ranksweep::worker
