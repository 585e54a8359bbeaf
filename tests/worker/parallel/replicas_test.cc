#include "worker/parallel/replicas.h"

#include <gmock/gmock.h>

#include "tests/worker/parallel/members.h"

namespace ranksweep::worker {
namespace {

TEST(Replicas, ShareABatchWithoutGapsAndStandInWhereImagesAreFew) {
  as_members(4, [](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    for (const std::int64_t images : {8, 10, 13}) {
      replicas.begin_batch(images);
      const torch::Tensor part = replicas.part_of(torch::arange(images));
      torch::Tensor taken = torch::zeros({images});
      taken.index_fill_(0, part, 1);
      replicas.sum(taken);
      EXPECT_TRUE(taken.eq(1).all().item<bool>()) << images;
      EXPECT_TRUE(replicas.batch().counts);
    }
    // No part of one image: batch normalisation has no variance then.
    for (const auto& [images, parts] : {std::pair{2, 1}, {3, 1}, {4, 2}, {7, 3}}) {
      replicas.begin_batch(images);
      const bool counts = replicas.batch().counts;
      EXPECT_EQ(replicas.sum({counts ? 1.0 : 0.0})[0], parts);
      const std::int64_t own = replicas.part_of(torch::arange(images)).numel();
      EXPECT_EQ(replicas.sum({counts ? static_cast<double>(own) : 0.0})[0], images);
      if (counts) {
        EXPECT_GE(own, 2);
      } else {
        EXPECT_EQ(own, 1);
      }
    }
  });
}

TEST(Replicas, JoinLossesByTheImagesBehindThem) {
  as_members(3, [](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    replicas.begin_batch(7);  // 2 + 2 + 3
    const double loss = 1.0 + replicas.member();
    const StepSums sums =
        replicas.join({.loss = loss * replicas.weight(), .correct = 1}, replicas.member() == 0);
    EXPECT_DOUBLE_EQ(sums.loss, (2 * 1 + 2 * 2 + 3 * 3) / 7.0);
    EXPECT_EQ(sums.correct, 3);
    EXPECT_TRUE(replicas.stop_agreed());
  });
}

TEST(Replicas, BroadcastTextAndTensorsOfTheLeader) {
  as_members(3, [](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    const std::string own(static_cast<std::size_t>(replicas.member()) * 3, 'x');
    EXPECT_EQ(replicas.broadcast(replicas.leads() ? "what the leader says" : own),
              "what the leader says");
    const torch::Tensor tensor = torch::full({2, 3, 4, 4}, replicas.member())
                                     .to(torch::kFloat32)
                                     .contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor count = torch::full({}, replicas.member(), torch::kInt64);
    replicas.broadcast({tensor, count});
    EXPECT_TRUE(tensor.eq(0).all().item<bool>());
    EXPECT_EQ(count.item<int>(), 0);
  });
}

TEST(Replicas, GatherRowsAlsoFromMembersWithoutAny) {
  as_members(3, [](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    const torch::Tensor all = torch::rand({5, 2}, at::make_generator<at::CPUGeneratorImpl>(1));
    const std::int64_t first = replicas.member() * 3;
    const torch::Tensor own =
        first < 5 ? all.slice(0, first, std::min<std::int64_t>(first + 3, 5)) : torch::Tensor();
    EXPECT_TRUE(replicas.gather(own, first, 5).equal(all));
  });
}

TEST(Replicas, NoticeOneBitThatDiffers) {
  as_members(3, [](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    const torch::Tensor weights = torch::ones({1000});
    replicas.compare({weights, weights});
    if (replicas.member() == 2) weights[7] = std::nextafter(1.0F, 2.0F);
    EXPECT_THAT(
        [&] {
          replicas.compare({torch::ones({3}), weights});
        },
        testing::ThrowsMessage<ReplicasDiverged>(testing::HasSubstr("member 2 differ")));
  });
}

}  // namespace
}  // namespace ranksweep::worker
