// Bases from TorchScript files are trained as ours are.
#include "worker/models/scripted_base.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "sweeps/architectures.h"
#include "tests/temporary_folder.h"
#include "worker/models/model.h"

namespace ranksweep::worker {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const char* const kForward = R"(
def forward(self, x):
    x = torch.conv2d(x, self.weight, None, [2, 2])
    x = torch.batch_norm(x, self.scale, self.shift, self.mean, self.variance, self.training, 0.1, 1e-5, False)
    return torch.relu(x)
)";
const char* const kFacts =
    R"({"normalization": "minus1_1", "image_size": [32, 32], "multiply_adds": 64, "activations": 32})";

class ScriptedBase : public testing::Test {
 protected:
  // A file with a convolution and batch normalisation.
  std::string write(const std::string& forward = kForward, const std::string& facts = kFacts) {
    torch::manual_seed(3);
    torch::jit::Module module("Base");
    module.register_parameter("weight", torch::randn({4, 3, 3, 3}), false);
    module.register_parameter("scale", torch::ones(4), false);
    module.register_parameter("shift", torch::zeros(4), false);
    module.register_buffer("mean", torch::zeros(4));
    module.register_buffer("variance", torch::ones(4));
    module.register_attribute("training", c10::BoolType::get(), true);
    module.define(forward);
    module.train();
    const std::filesystem::path file = folder_.path() / "small.pt";
    module.save(file.string(), {{"ranksweep.json", facts}});
    return file.string();
  }

  static sweeps::TrialSpec spec_of(const std::string& file) {
    sweeps::TrialSpec spec;
    spec.architecture = sweeps::name_of_torchscript(file);
    spec.weights = file;
    spec.image_size = {16, 16};
    return spec;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(ScriptedBase, IsABaseWithItsTensorsInOneBlock) {
  const std::string file = write();
  Model model(spec_of(file), 2);
  ASSERT_EQ(model.base_blocks(), 1);
  std::vector<std::string> names;
  for (const auto& [name, tensor, block] : model.tensors()) {
    if (block == 0) names.push_back(name);
  }
  EXPECT_THAT(names,
              testing::UnorderedElementsAre("network.weight", "network.scale", "network.shift",
                                            "network.mean", "network.variance"));
  const PassCost cost = measure_scripted(file, {16, 16});
  EXPECT_EQ(cost.features, (std::array<std::int64_t, 3>{4, 7, 7}));
  EXPECT_EQ(cost.parameters, 4 * 3 * 9 + 4 + 4);
  EXPECT_EQ(cost.multiply_adds, 16);  // a quarter of the pixels
  EXPECT_EQ(cost.activations, 8);
  EXPECT_EQ(normalization_of_scripted(file), sweeps::Normalization::minus1_1);
}

TEST_F(ScriptedBase, StartsFromTheFileWhateverTheSeed) {
  sweeps::TrialSpec spec = spec_of(write());
  const Model first(spec, 2);
  spec.seed = 1;
  const Model other(spec, 2);
  for (std::size_t i = 0; i < first.tensors().size(); ++i) {
    const bool in_base = first.tensors()[i].block == 0;
    EXPECT_EQ(first.tensors()[i].tensor.equal(other.tensors()[i].tensor), in_base);
  }
}

TEST_F(ScriptedBase, LearnsAndKnowsWhetherItIsTrained) {
  Model model(spec_of(write()), 2);
  const torch::Tensor images = torch::rand({3, 3, 16, 16});
  model.base().freeze(0);
  model.train(true);
  model.pooled(images).sum().backward();
  for (const auto& each : model.base().named_parameters()) {
    EXPECT_TRUE(each.value().grad().defined()) << each.key();
  }
  EXPECT_GT(model.base().named_buffers()["network.mean"].abs().sum().item<float>(), 0);

  // What an optimizer changes, the network computes with; so with another layout.
  model.train(false);
  const torch::Tensor before = model.pooled(images);
  model.to(torch::kCPU, torch::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(model.pooled(images).allclose(before, 1e-5, 1e-6));
  {
    const torch::NoGradGuard no_gradients;
    model.base().named_parameters()["network.weight"].zero_();
  }
  EXPECT_FALSE(model.pooled(images).allclose(before, 1e-5, 1e-6));
}

TEST_F(ScriptedBase, FrozenKeepsNoGraphAndNoStatistics) {
  Model model(spec_of(write()), 2);
  model.base().freeze(1);
  model.train(true);
  EXPECT_FALSE(model.pooled(torch::rand({3, 3, 16, 16})).requires_grad());
  EXPECT_EQ(model.base().named_buffers()["network.mean"].abs().sum().item<float>(), 0);
}

TEST_F(ScriptedBase, AFileThatIsNoneIsRefusedWithTheReason) {
  const auto measure = [](const std::string& file, int side = 16) {
    return [=] { measure_scripted(file, {side, side}); };
  };
  const auto refused = [](const std::string& reason) {
    return ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("small.pt"), HasSubstr(reason)));
  };
  EXPECT_THAT(measure("/no/small.pt"), refused("is no TorchScript file"));
  EXPECT_THAT(measure(write(kForward, "")), refused("does not say in ranksweep.json"));
  EXPECT_THAT(measure(write("def forward(self, x):\n    return x.flatten(1)\n")),
              refused("gives [1, 768] for one image"));
  EXPECT_THAT(measure(write(), 1), refused("cannot take images of 1 x 1 pixels"));
  const std::string strange =
      R"({"normalization": "x", "image_size": [1, 1], "multiply_adds": 1, "activations": 1})";
  const std::string file = write(kForward, strange);
  EXPECT_THAT([&] { normalization_of_scripted(file); }, refused("normalization \"x\""));
}

}  // namespace
}  // namespace ranksweep::worker
