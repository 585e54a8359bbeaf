// Run under mpirun with several numbers of ranks; each rank runs the same cases.
#include "cluster/mpi_transport.h"

#include <map>
#include <mpi.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/node.h"

namespace ranksweep::cluster {
namespace {

MpiTransport* transport = nullptr;

Envelope next_message() {
  while (true) {
    if (auto envelope = transport->receive()) {
      return *std::move(envelope);
    }
  }
}

// No rank begins a case before all ranks have ended the one before: a quick rank's next message
// would otherwise arrive among those that a slow rank still counts.
class MpiTransportTest : public testing::Test {
 protected:
  void TearDown() override { MPI_Barrier(MPI_COMM_WORLD); }
};

TEST_F(MpiTransportTest, EveryRankHearsEveryRankInOrder) {
  constexpr int kMessages = 200;
  for (int number = 0; number < kMessages; ++number) {
    for (Rank to = 0; to < transport->size(); ++to) {
      transport->send(to, std::to_string(number));
    }
  }
  std::map<Rank, int> heard;
  for (int i = 0; i < kMessages * transport->size(); ++i) {
    const Envelope envelope = next_message();
    EXPECT_EQ(envelope.body, std::to_string(heard[envelope.from]++));
  }
  EXPECT_EQ(static_cast<int>(heard.size()), transport->size());
}

TEST_F(MpiTransportTest, ALargeMessageArrivesWhole) {
  const Rank next = (transport->rank() + 1) % transport->size();
  const std::string body(1 << 20, static_cast<char>('a' + transport->rank() % 26));
  transport->send(next, body);
  const Envelope envelope = next_message();
  EXPECT_EQ(envelope.from, (transport->rank() + transport->size() - 1) % transport->size());
  EXPECT_EQ(envelope.body, std::string(1 << 20, static_cast<char>('a' + envelope.from % 26)));
}

TEST_F(MpiTransportTest, AnEmptyMessageIsAMessage) {
  transport->send(transport->rank(), "");
  EXPECT_EQ(next_message().body, "");
}

TEST_F(MpiTransportTest, RanksOfOneMachineShareANode) {
  EXPECT_EQ(transport->local_size(), transport->size());
  EXPECT_EQ(transport->local_rank(), transport->rank());
}

TEST_F(MpiTransportTest, AllHearWhatEachRankTells) {
  const std::string own(static_cast<std::size_t>(transport->rank()), 'x');  // of rank 0 nothing
  const std::vector<std::string> told = transport->tell_all(own);
  ASSERT_EQ(static_cast<int>(told.size()), transport->size());
  for (std::size_t rank = 0; rank < told.size(); ++rank) {
    EXPECT_EQ(told[rank], std::string(rank, 'x'));
  }
}

TEST(Node, ALauncherIsKnownAndItsBindingDoesNotHideCores) {
  EXPECT_TRUE(launched_by_mpi());
  const MpiFlavour flavour = mpi_flavour();
  EXPECT_EQ(started_by_open_mpi(),
            flavour == MpiFlavour::open_mpi || flavour == MpiFlavour::open_mpi_ulfm);
  undo_launcher_binding();
  EXPECT_GE(cores_of_node(), 1);
}

}  // namespace
}  // namespace ranksweep::cluster

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto transport = ranksweep::cluster::MpiTransport::start();
  ranksweep::cluster::transport = transport.get();
  return RUN_ALL_TESTS();
}
