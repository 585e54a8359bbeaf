// The control flow around NCCL, against a stand-in that plays NCCL's faults.
#include "worker/parallel/nccl_communicator.h"

#include <array>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "tests/worker/parallel/nccl_stand_in/nccl_stand_in.h"
#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {
namespace {

using nccl_stand_in::Stream;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class NcclCommunicatorTest : public testing::Test {
 protected:
  void SetUp() override { nccl_stand_in::reset(); }

  static NcclCommunicator::Options options(int member, int members = 2) {
    return {.member = member, .members = members, .time_limit = milliseconds(100)};
  }
  static void sum(NcclCommunicator& communicator, std::array<float, 2>& values, Stream& stream) {
    communicator.sum(values.data(), values.size(), NcclCommunicator::Number::float32, &stream);
    communicator.wait_until([&] { return stream.idle(); });
  }
};

TEST_F(NcclCommunicatorTest, JoinsMembersByATokenAndSums) {
  const std::string token = NcclCommunicator::new_token();
  std::vector<std::thread> members;
  for (int member = 0; member < 3; ++member) {
    members.emplace_back([&, member] {
      NcclCommunicator communicator(
          {.member = member, .members = 3, .time_limit = std::chrono::seconds(60)}, token);
      Stream stream;
      std::array<float, 2> values = {1, static_cast<float>(member)};
      sum(communicator, values, stream);
      EXPECT_THAT(values, testing::ElementsAre(3, 3));
      communicator.broadcast(values.data(), sizeof(values), &stream);
      communicator.wait_until([&] { return stream.idle(); }, NcclCommunicator::Patience::endless);
    });
  }
  for (std::thread& member : members) member.join();
}

TEST_F(NcclCommunicatorTest, AMemberThatNeverComesIsWaitedForNoLongerThanTheLimit) {
  NcclCommunicator communicator(options(0), NcclCommunicator::new_token());
  Stream stream;
  std::array<float, 2> values{};
  EXPECT_THAT([&] { sum(communicator, values, stream); },
              ThrowsMessage<GroupBroken>(HasSubstr("did not come within 0.1 s")));
  EXPECT_EQ(nccl_stand_in::aborted_communicators(), 1);
  EXPECT_THAT([&] { sum(communicator, values, stream); },  // and it stays broken
              ThrowsMessage<GroupBroken>(HasSubstr("did not come within 0.1 s")));
  EXPECT_EQ(nccl_stand_in::aborted_communicators(), 1);
}

TEST_F(NcclCommunicatorTest, ASumThatTheOthersDoNotJoinIsAborted) {
  const std::string token = NcclCommunicator::new_token();
  NcclCommunicator first(options(0), token);
  NcclCommunicator second(options(1), token);
  Stream stream;
  std::array<float, 2> values{};
  std::thread other([&] {
    Stream other_stream;
    std::array<float, 2> other_values{};
    sum(second, other_values, other_stream);
  });
  sum(first, values, stream);
  other.join();
  EXPECT_THROW(sum(first, values, stream), GroupBroken);
  EXPECT_EQ(nccl_stand_in::aborted_communicators(), 1);
}

TEST_F(NcclCommunicatorTest, AnAsynchronousErrorAbortsWithItsReason) {
  NcclCommunicator communicator({.member = 0, .members = 2, .time_limit = std::chrono::seconds(60)},
                                NcclCommunicator::new_token());
  std::thread fault([] {
    std::this_thread::sleep_for(milliseconds(20));
    nccl_stand_in::break_all_communicators(ncclRemoteError);
  });
  Stream stream;
  std::array<float, 2> values{};
  EXPECT_THAT([&] { sum(communicator, values, stream); },
              ThrowsMessage<GroupBroken>(
                  AllOf(HasSubstr("remote process exited"), HasSubstr("said by the stand-in"))));
  fault.join();
  EXPECT_EQ(nccl_stand_in::aborted_communicators(), 1);
}

TEST_F(NcclCommunicatorTest, ACallThatFailsAborts) {
  NcclCommunicator communicator(options(0, 1), NcclCommunicator::new_token());
  Stream stream;
  std::array<float, 2> values{};
  sum(communicator, values, stream);
  nccl_stand_in::fail_next_operation(ncclInternalError);
  EXPECT_THAT([&] { sum(communicator, values, stream); },
              ThrowsMessage<GroupBroken>(HasSubstr("a sum failed: internal error")));
}

TEST_F(NcclCommunicatorTest, ANewGroupWorksAfterABrokenOne) {
  NcclCommunicator broken(options(0), NcclCommunicator::new_token());
  Stream stream;
  std::array<float, 2> values = {1, 2};
  EXPECT_THROW(sum(broken, values, stream), GroupBroken);
  NcclCommunicator fresh(options(0, 1), NcclCommunicator::new_token());
  Stream fresh_stream;
  sum(fresh, values, fresh_stream);
  EXPECT_THAT(values, testing::ElementsAre(1, 2));
}

TEST_F(NcclCommunicatorTest, LeavesWithoutWaiting) {
  {
    NcclCommunicator never_used(options(0), NcclCommunicator::new_token());
    NcclCommunicator used(options(0, 1), NcclCommunicator::new_token());
    Stream stream;
    std::array<float, 2> values{};
    sum(used, values, stream);
  }
  EXPECT_EQ(nccl_stand_in::aborted_communicators(), 1);
}

TEST_F(NcclCommunicatorTest, RefusesWhatIsNoToken) {
  EXPECT_THROW(NcclCommunicator(options(0), "shared memory|host|/proc/1/fd/3|1"), GroupBroken);
}

}  // namespace
}  // namespace ranksweep::worker
