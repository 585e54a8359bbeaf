#include "worker/parallel/gradient_buckets.h"

#include <gmock/gmock.h>

#include "tests/worker/parallel/members.h"

namespace ranksweep::worker {

static void PrintTo(Overlap overlap, std::ostream* out) {
  *out << (overlap == Overlap::backward ? "beside_the_backward_pass" : "after_it");
}

namespace {

const bool kOneThread = (at::set_num_threads(1), true);

// Three parameters, of which the loss uses two; the first fills a bucket of its own.
struct Problem {
  torch::Tensor wide = torch::full({30, 300'000}, 0.5F).requires_grad_();
  torch::Tensor unused = torch::ones({3}).requires_grad_();
  torch::Tensor narrow =
      torch::ones({30, 4, 1, 1}).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();

  std::vector<torch::Tensor> parameters() const { return {wide, unused, narrow}; }
  torch::Tensor loss(double factor) const {
    return (wide.sum(1) * narrow.sum({1, 2, 3})).sum() * factor;
  }
};

class Overlaps : public testing::TestWithParam<Overlap> {};
INSTANTIATE_TEST_SUITE_P(Both, Overlaps, testing::Values(Overlap::backward, Overlap::none));

TEST_P(Overlaps, HoldTheSumOfAllMembersGradients) {
  as_members(3, [](GradientGroup& group) {
    const Problem problem;
    GradientBuckets buckets(group, problem.parameters(), GetParam());
    EXPECT_EQ(buckets.buckets(), 2U);
    for (int pass = 0; pass < 3; ++pass) {
      buckets.prepare();
      problem.loss(group.member() + 1).backward();
      buckets.finish();
      EXPECT_TRUE(problem.wide.grad().eq(4 * 6).all().item<bool>());
      EXPECT_TRUE(problem.narrow.grad().eq(150'000 * 6).all().item<bool>());
      EXPECT_TRUE(problem.unused.grad().eq(0).all().item<bool>());
    }
    EXPECT_EQ(problem.narrow.grad().strides(), problem.narrow.strides());
  });
}

TEST_P(Overlaps, AddUpSeveralPassesBeforeTheySumThem) {
  as_members(2, [](GradientGroup& group) {
    const Problem problem;
    GradientBuckets buckets(group, problem.parameters(), GetParam());
    buckets.prepare(2);
    problem.loss(group.member() + 1).backward();
    problem.loss(10).backward();
    buckets.finish();
    EXPECT_TRUE(problem.wide.grad().eq(4 * (3 + 20)).all().item<bool>());
    EXPECT_TRUE(problem.unused.grad().eq(0).all().item<bool>());
  });
}

TEST(GradientBuckets, LeaveNothingBehind) {
  as_members(2, [](GradientGroup& group) {
    const Problem problem;
    { const GradientBuckets buckets(group, problem.parameters()); }
    EXPECT_FALSE(problem.wide.grad().defined());
    problem.loss(1).backward();
    EXPECT_TRUE(problem.wide.grad().defined());
    EXPECT_FALSE(problem.unused.grad().defined());
  });
}

}  // namespace
}  // namespace ranksweep::worker
