#include "worker/models/model.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/architectures.h"
#include "tests/temporary_folder.h"
#include "worker/models/tensor_file.h"
#include "worker/models/weights.h"

namespace ranksweep::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

sweeps::TrialSpec spec_of(const std::string& architecture, int size = 75) {
  sweeps::TrialSpec spec;
  spec.architecture = architecture;
  spec.image_size = {size, size};
  return spec;
}

// A file without its line of sweeps/architectures.inc would be built and never found.
TEST(Architectures, EachFileIsOne) {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(RANKSWEEP_SOURCE_DIR "/worker/models/architectures")) {
    files.push_back(entry.path().stem().string());
  }
  std::vector<std::string> registered;
  for (const auto& each : architectures()) registered.push_back(each.name);
  EXPECT_THAT(registered, testing::UnorderedElementsAreArray(files));
}

class EachArchitecture : public testing::TestWithParam<std::string> {};

TEST_P(EachArchitecture, WorksAtItsSmallestSize) {
  const int size = sweeps::find_architecture(GetParam())->smallest_size;
  Model model(spec_of(GetParam(), size), 2);
  const torch::Tensor logits = model.forward(torch::rand({2, 3, size, size}));
  EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 1}));
}

TEST_P(EachArchitecture, HasTheBlocksThatItsLineNames) {
  Base base(torch::kMeta);
  find_architecture(GetParam()).build(base);
  std::vector<std::string> blocks;
  for (const auto& block : base.blocks()) blocks.push_back(block.name);
  EXPECT_EQ(blocks, sweeps::find_architecture(GetParam())->blocks);
}

TEST_P(EachArchitecture, IsAFunctionOfTheSeed) {
  sweeps::TrialSpec spec = spec_of(GetParam());
  const Model first(spec, 2);
  const Model same(spec, 2);
  spec.seed = 1;
  const Model other(spec, 2);
  for (std::size_t i = 0; i < first.tensors().size(); ++i) {
    EXPECT_TRUE(first.tensors()[i].tensor.equal(same.tensors()[i].tensor));
  }
  EXPECT_FALSE(first.tensors()[0].tensor.equal(other.tensors()[0].tensor));
}

TEST_P(EachArchitecture, AFrozenBaseKeepsNoGraphAndNoStatistics) {
  Model model(spec_of(GetParam()), 2);
  model.base().freeze(model.base_blocks());
  model.train(true);
  const torch::Tensor first = model.pooled(torch::rand({2, 3, 75, 75}));
  EXPECT_FALSE(first.requires_grad());
  for (const auto& each : model.base().named_buffers()) {
    if (each.key().ends_with("num_batches_tracked")) {
      EXPECT_EQ(each.value().item<std::int64_t>(), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EachArchitecture, testing::ValuesIn(sweeps::architecture_names()),
                         [](const auto& name) { return name.param; });

TEST(Model, DocumentedParameterCounts) {
  const auto base_parameters = [](const std::string& name) {
    return measure(find_architecture(name).build, {150, 150}).parameters;
  };
  EXPECT_EQ(base_parameters("simple_cnn"), 241'184);
  EXPECT_EQ(base_parameters("vgg16_simple"), 1'568'576);
  EXPECT_EQ(base_parameters("vgg16"), 14'714'688);
}

// torchvision states 4.09 billion.
TEST(Model, MultiplyAddsOfResnet50) {
  const PassCost cost = measure(find_architecture("resnet50").build, {224, 224});
  EXPECT_NEAR(static_cast<double>(cost.multiply_adds), 4.09e9, 0.01e9);
  EXPECT_EQ(cost.features, (std::array<std::int64_t, 3>{2048, 7, 7}));
}

TEST(Model, MoreThanTwoClassesHaveALogitEach) {
  Model model(spec_of("simple_cnn"), 5);
  EXPECT_EQ(model.forward(torch::rand({2, 3, 75, 75})).size(1), 5);
}

TEST(Model, HeadsPoolAsTheyAreTold) {
  const torch::Tensor maps = torch::arange(16, torch::kFloat32).reshape({1, 4, 2, 2});
  const auto pooled = [&](sweeps::Pooling pooling) {
    return Head({.pooling = pooling, .dense = {}}, 0, {4, 2, 2}, 2).pool(maps);
  };
  EXPECT_TRUE(pooled(sweeps::Pooling::average).equal(torch::tensor({{1.5F, 5.5F, 9.5F, 13.5F}})));
  EXPECT_TRUE(pooled(sweeps::Pooling::max).equal(torch::tensor({{3.F, 7.F, 11.F, 15.F}})));
  EXPECT_TRUE(pooled(sweeps::Pooling::flatten).equal(maps.reshape({1, 16})));
}

TEST(Model, FrozenUntilFreezesTheBlocksBefore) {
  sweeps::TrialSpec spec = spec_of("resnet50");
  spec.frozen_until = "layer3";
  Model model(spec, 2);
  EXPECT_EQ(frozen_blocks(spec, model, 1), 3);  // stem, layer1, layer2
  model.base().freeze(3);
  model.train(true);
  model.forward(torch::rand({2, 3, 75, 75})).sum().backward();
  for (const auto& [name, tensor, block] : model.tensors()) {
    if (name.ends_with("weight")) {
      EXPECT_EQ(tensor.grad().defined(), block >= 3) << name;
    }
    if (name.ends_with("num_batches_tracked")) {
      EXPECT_EQ(tensor.item<std::int64_t>(), block >= 3 ? 1 : 0) << name;
    }
  }
}

TEST(Model, AnUnknownBlockIsAnErrorThatListsThem) {
  sweeps::TrialSpec spec = spec_of("resnet50");
  spec.frozen_until = "layer9";
  try {
    const Model model(spec, 2);
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("stem, layer1, layer2, layer3, layer4"));
  }
}

TEST(Model, FreezingFollowsTheEpoch) {
  sweeps::TrialSpec spec = spec_of("resnet50");
  Model model(spec, 2);
  EXPECT_EQ(frozen_blocks(spec, model, 1), 0);
  spec.training = sweeps::TrainingMode::frozen;
  EXPECT_EQ(frozen_blocks(spec, model, 99), 5);
  spec.unfreeze_at_epoch = 3;
  EXPECT_EQ(frozen_blocks(spec, model, 2), 5);
  EXPECT_EQ(frozen_blocks(spec, model, 3), 0);
  spec.frozen_until = "layer4";
  EXPECT_EQ(frozen_blocks(spec, model, 3), 4);
}

class Weights : public testing::Test {
 protected:
  NamedTensors tensors() {
    NamedTensors all;
    for (const auto& [name, tensor, block] : saved_.tensors()) all.emplace_back(name, tensor);
    return all;
  }
  std::string problem_with(const NamedTensors& file) {
    const auto path = folder_.path() / "weights.safetensors";
    write_tensors(path, file, {});
    try {
      load_base_weights(loaded_, find_architecture("simple_cnn"), path);
      return "";
    } catch (const SafetensorsError& error) {
      return error.what();
    }
  }
  static sweeps::TrialSpec seeded(int seed) {
    sweeps::TrialSpec spec = spec_of("simple_cnn");
    spec.seed = seed;
    return spec;
  }

  TemporaryFolder folder_;
  Model saved_{seeded(1), 2};
  Model loaded_{seeded(2), 2};
};

TEST_F(Weights, FillTheBaseAndLeaveTheHead) {
  EXPECT_EQ(problem_with(tensors()), "");
  for (std::size_t i = 0; i < saved_.tensors().size(); ++i) {
    const auto& [name, tensor, block] = loaded_.tensors()[i];
    if (!name.ends_with("conv.weight") && name != "head.output.weight") continue;
    EXPECT_EQ(tensor.equal(saved_.tensors()[i].tensor), block < loaded_.base_blocks()) << name;
  }
}

TEST_F(Weights, ProblemsAreListedByName) {
  NamedTensors file = tensors();
  file[0].first = "block1.conv.kernel";
  file[1].second = torch::zeros({7});
  EXPECT_THAT(problem_with(file),
              AllOf(HasSubstr("missing (1): block1.conv.weight"),
                    HasSubstr("not known (1): block1.conv.kernel"),
                    HasSubstr("unfit (1): block1.bn.weight: shape [7], not [32]"),
                    HasSubstr("tools/convert_weights.py")));
}

TEST_F(Weights, OfAnotherTypeAreRefused) {
  NamedTensors file = tensors();
  file[0].second = torch::zeros(file[0].second.sizes(), torch::kInt64);
  EXPECT_THAT(problem_with(file), HasSubstr("type I64, not F32"));
}

}  // namespace
}  // namespace ranksweep::worker
