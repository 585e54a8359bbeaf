#include <cmath>

#include <gtest/gtest.h>

#include "sweeps/architectures.h"
#include "tests/worker/parallel/members.h"
#include "worker/models/model.h"
#include "worker/parallel/replicas.h"

// Whole networks trained by parts of a batch, with batch normalisation over all of it, beside the
// same networks trained with the whole batch at once.
//
// In float64 and in small steps: gradients of deep networks with random weights and a handful of
// pixels a channel change by fifty to a hundred times what the weights change by. In float32 with a
// rate of 1e-3 the rounding of the first step has become a few per cent of Inception v3 and
// ResNet-50 after ten, by parts or not.
namespace ranksweep::worker {
namespace {

const bool kOneThread = (at::set_num_threads(1), true);

constexpr std::int64_t kImages = 9;
constexpr double kLearningRate = 1e-6;

using List = std::vector<torch::Tensor>;

double difference(const List& a, const List& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += (a[i] - b[i]).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

class Network {
 public:
  explicit Network(const sweeps::TrialSpec& spec) : model_(spec, 2) {
    const torch::NoGradGuard no_gradients;
    for (const auto& [name, tensor, block] : model_.tensors()) {
      if (tensor.is_floating_point()) torch::Tensor(tensor).set_data(tensor.to(torch::kFloat64));
    }
    model_.train(true);
  }

  void share_batches(const SharedBatch& batch) { model_.base().share_batches(batch); }

  List parameters() const { return tensors(/*trained=*/true); }
  List statistics() const { return tensors(/*trained=*/false); }

  // The gradients of the mean loss, times `weight`.
  void backward(const torch::Tensor& images, const torch::Tensor& labels, double weight) {
    for (torch::Tensor& each : parameters()) each.mutable_grad().reset();
    const torch::Tensor logits = model_.forward(images).squeeze(1);
    (torch::binary_cross_entropy_with_logits(logits, labels) * weight).backward();
  }

  void descend() {
    const torch::NoGradGuard no_gradients;
    for (torch::Tensor& each : parameters()) each.sub_(each.grad(), kLearningRate);
  }

 private:
  List tensors(bool trained) const {
    List list;
    for (const auto& [name, tensor, block] : model_.tensors()) {
      if (tensor.is_floating_point() && tensor.requires_grad() == trained) list.push_back(tensor);
    }
    return list;
  }

  Model model_;
};

struct Images {
  torch::Tensor pixels;
  torch::Tensor labels;
};

Images images_of_step(int step, int size) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(step));
  return {.pixels = torch::rand({kImages, 3, size, size}, generator, torch::kFloat64),
          .labels = torch::arange(kImages).remainder(2).to(torch::kFloat64)};
}

struct Case {
  std::string architecture;
  int members = 2;
  int steps = 10;  // fewer with the large networks, for the time that they take
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.architecture; }

class EachNetwork : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(WithBatchNorm, EachNetwork,
                         testing::Values(Case{"simple_cnn", 4, 10}, Case{"inception_v3", 2, 4},
                                         Case{"resnet50", 4, 4},
                                         Case{"inception_resnet_v2", 3, 2}));

TEST_P(EachNetwork, TrainsByPartsOfABatchAsByTheWhole) {
  const auto& [architecture, members, steps] = GetParam();
  const int size = std::max(sweeps::find_architecture(architecture)->smallest_size, 32);
  sweeps::TrialSpec spec;
  spec.architecture = architecture;
  spec.image_size = {size, size};
  spec.head.dense = {16};
  spec.dropout = 0;
  const Network start(spec);
  Network whole(spec);
  for (int step = 0; step < steps; ++step) {
    const Images images = images_of_step(step, size);
    whole.backward(images.pixels, images.labels, 1);
    whole.descend();
  }
  const double learned = difference(start.parameters(), whole.parameters());
  const double observed = difference(start.statistics(), whole.statistics());
  as_processes(members, [&, steps = steps](GradientGroup& group) {
    Replicas replicas(group, torch::kCPU);
    replicas.begin_batch(kImages);
    const torch::Tensor part = replicas.part_of(torch::arange(kImages));
    Network network(spec);
    network.share_batches(replicas.batch());
    for (int step = 0; step < steps; ++step) {
      const Images images = images_of_step(step, size);
      network.backward(images.pixels.index_select(0, part), images.labels.index_select(0, part),
                       static_cast<double>(part.numel()) / kImages);
      for (const torch::Tensor& each : network.parameters()) replicas.sum(each.grad());
      network.descend();
    }
    EXPECT_LE(difference(whole.parameters(), network.parameters()), 1e-5 * learned);
    EXPECT_LE(difference(whole.statistics(), network.statistics()), 1e-5 * observed);
  });
}

}  // namespace
}  // namespace ranksweep::worker
