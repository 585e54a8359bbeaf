#include "worker/models/synchronized_batch_norm.h"

#include <gmock/gmock.h>

#include "tests/worker/parallel/members.h"
#include "worker/parallel/replicas.h"

namespace ranksweep::worker {
namespace {

const bool kOneThread = (at::set_num_threads(1), true);

struct Normalisation {
  torch::Tensor weight = torch::linspace(0.5, 1.5, 6).requires_grad_();
  torch::Tensor bias = torch::linspace(-1, 1, 6).requires_grad_();
  torch::Tensor mean = torch::zeros({6});
  torch::Tensor variance = torch::ones({6});
};

torch::Tensor loss_of(const torch::Tensor& y) { return (y.sigmoid() * y).sum(); }

// Parts of 7, 0 and fewer images than members included, against Torch with the whole batch.
class Batches : public testing::TestWithParam<std::tuple<int, int>> {};
INSTANTIATE_TEST_SUITE_P(OfMembersAndImages, Batches,
                         testing::Combine(testing::Values(1, 2, 3, 4), testing::Values(2, 7)));

TEST_P(Batches, AreNormalisedAsInOneProcess) {
  const auto [members, images] = GetParam();
  auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const torch::Tensor batch = torch::randn({images, 6, 5, 4}, generator, torch::kFloat32) * 3 + 100;

  const Normalisation whole;
  const torch::Tensor whole_x = batch.clone().requires_grad_();
  const torch::Tensor whole_y = torch::batch_norm(whole_x, whole.weight, whole.bias, whole.mean,
                                                  whole.variance, true, 0.1, 1e-5, false);
  loss_of(whole_y).backward();

  as_members(members, [&, images = images](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    replicas.begin_batch(images);
    const torch::Tensor own = replicas.part_of(torch::arange(images));
    const Normalisation layer;
    const torch::Tensor x = batch.index_select(0, own).requires_grad_();
    const torch::Tensor y = synchronized_batch_norm(x, layer.weight, layer.bias, layer.mean,
                                                    layer.variance, 0.1, 1e-5, replicas.batch());
    EXPECT_TRUE(y.allclose(whole_y.index_select(0, own), 1e-5, 1e-5));
    (loss_of(y) * (replicas.batch().counts ? 1 : 0)).backward();
    const torch::Tensor expected = whole_x.grad().index_select(0, own);
    EXPECT_TRUE(x.grad().allclose(replicas.batch().counts ? expected : expected * 0, 1e-4, 1e-5));
    const torch::Tensor weight_grad = layer.weight.grad().clone();
    const torch::Tensor bias_grad = layer.bias.grad().clone();
    replicas.sum(weight_grad);
    replicas.sum(bias_grad);
    EXPECT_TRUE(weight_grad.allclose(whole.weight.grad(), 1e-4, 1e-4));
    EXPECT_TRUE(bias_grad.allclose(whole.bias.grad(), 1e-5, 1e-5));
    EXPECT_TRUE(layer.mean.allclose(whole.mean, 1e-5, 1e-6));
    EXPECT_TRUE(layer.variance.allclose(whole.variance, 1e-4, 1e-6));
  });
}

}  // namespace
}  // namespace ranksweep::worker
