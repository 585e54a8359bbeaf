// The exported module gives the probabilities of the model that it was made of, resizing included.
#include "worker/export/torchscript.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/worker/training/synthetic.h"
#include "worker/data/resize.h"
#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {
namespace {

struct Case {
  std::string architecture;
  sweeps::Normalization normalization;
  int classes;
};
void PrintTo(const Case& each, std::ostream* out) {
  *out << each.architecture << "_" << each.classes << "_classes";
}

// A model that learned for one epoch, and what whoever gets its file sees.
class Exported {
 public:
  explicit Exported(const Case& wanted) {
    TrainingJob job = synthetic_job(folder_.path());
    job.spec.architecture = wanted.architecture;
    job.spec.normalization = wanted.normalization;
    FeatureStore store(folder_.path() / "cache");
    ScriptedSupervisor supervisor(1);
    train(job, synthetic_data(wanted.classes), store, supervisor);
    model_ = std::make_unique<TrainedModel>(SafetensorsFile(folder_.path() / "best-1.safetensors"),
                                            torch::kCPU);
    std::stringstream file;
    to_torchscript(*model_).save(file);
    module_ = torch::jit::load(file);
  }

  TrainedModel& model() { return *model_; }
  torch::jit::Module& module() { return module_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<TrainedModel> model_;
  torch::jit::Module module_;
};

class TorchScript : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Models, TorchScript,
                         testing::Values(Case{"simple_cnn", sweeps::Normalization::scale_0_1, 2},
                                         Case{"simple_cnn", sweeps::Normalization::caffe, 3},
                                         Case{"resnet50", sweeps::Normalization::imagenet, 2}));

Image image_of(const torch::Tensor& pixels) {
  const auto* begin = pixels.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(pixels.size(0)), static_cast<int>(pixels.size(1)),
          std::vector<std::uint8_t>(begin, begin + pixels.numel())};
}

// As decode_image() resizes.
torch::Tensor resized(const torch::Tensor& images, std::array<int, 2> size) {
  torch::Tensor result = torch::empty({images.size(0), size[0], size[1], 3}, torch::kUInt8);
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const Image image = resize(image_of(images[i].contiguous()), size[0], size[1]);
    std::ranges::copy(image.pixels, result[i].mutable_data_ptr<std::uint8_t>());
  }
  return result;
}

TEST_P(TorchScript, GivesTheModelsProbabilities) {
  Exported exported(GetParam());
  TrainedModel& model = exported.model();
  const auto classes = exported.module().attr("classes").to<std::vector<std::string>>();
  EXPECT_EQ(classes, model.classes());
  // Smaller, larger, of another shape, the same; another number of images each time.
  int count = 1;
  for (const auto& [height, width] : {std::pair{32, 32}, {20, 27}, {64, 64}, {131, 50}, {1, 1}}) {
    const torch::Tensor images = torch::randint(0, 256, {++count, height, width, 3}, torch::kUInt8);
    const torch::Tensor expected =
        model.probabilities(model.prepare(resized(images, model.image_size())));
    const torch::Tensor given = exported.module().forward({images}).toTensor();
    EXPECT_TRUE(given.allclose(expected, 1e-5, 1e-6)) << height << " x " << width << "\n"
                                                      << given << "\n"
                                                      << expected;
  }
}

const Case kSmall = {"simple_cnn", sweeps::Normalization::scale_0_1, 2};

TEST(TorchScriptModule, ResizesIntegerForInteger) {
  Exported exported(kSmall);
  for (const auto& [height, width] : {std::pair{33, 31}, {64, 64}, {7, 100}, {1, 2}}) {
    const torch::Tensor images = torch::randint(0, 256, {2, height, width, 3}, torch::kUInt8);
    const torch::Tensor given = exported.module().get_method("resize")({images}).toTensor();
    EXPECT_TRUE(given.to(torch::kUInt8).equal(resized(images, exported.model().image_size())))
        << height << " x " << width;
  }
}

TEST(TorchScriptModule, RefusesWhatIsNoBatchOfImages) {
  Exported exported(kSmall);
  EXPECT_ANY_THROW(exported.module().forward({torch::zeros({1, 3, 32, 32}, torch::kUInt8)}));
  EXPECT_ANY_THROW(exported.module().forward({torch::zeros({1, 32, 32, 3})}));
}

}  // namespace
}  // namespace ranksweep::worker
