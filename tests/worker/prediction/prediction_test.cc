// What a trial left behind classifies as it did in validation.
#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/printed_enumerations.h"
#include "tests/worker/data/image_files.h"
#include "tests/worker/training/synthetic.h"
#include "worker/models/shared_base.h"
#include "worker/models/tensor_file.h"
#include "worker/prediction/classify_files.h"
#include "worker/prediction/occlusion.h"
#include "worker/prediction/trained_model.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

// Small work: more threads would only get into each other's way.
const bool kOneThread = (at::set_num_threads(1), true);

using testing::HasSubstr;
using testing::ThrowsMessage;

// Trains for some epochs in `folder` and returns the best one and its checkpoint.
struct Trained {
  sweeps::EpochMetrics best;
  fs::path checkpoint;
};

Trained train_in(const fs::path& folder, const TrainingData& data,
                 sweeps::TrainingMode mode = sweeps::TrainingMode::full) {
  FeatureStore store(folder.parent_path() / "cache");
  ScriptedSupervisor supervisor(4);
  TrainingJob job = synthetic_job(folder);
  job.spec.training = mode;
  train(job, data, store, supervisor);
  const auto best = std::ranges::min(supervisor.reported, {}, &sweeps::EpochMetrics::val_loss);
  return {best, folder / ("best-" + std::to_string(best.epoch) + ".safetensors")};
}

class Prediction : public testing::TestWithParam<std::tuple<int, sweeps::TrainingMode>> {};
INSTANTIATE_TEST_SUITE_P(ClassesAndModes, Prediction,
                         testing::Combine(testing::Values(2, 3),
                                          testing::Values(sweeps::TrainingMode::full,
                                                          sweeps::TrainingMode::frozen)));

TEST_P(Prediction, HasTheValidationLossOfTheBestEpoch) {
  const TrialFolder folder;
  const auto [classes, mode] = GetParam();
  const TrainingData data = synthetic_data(classes);
  const Trained trained = train_in(folder.path(), data, mode);

  TrainedModel model(SafetensorsFile(trained.checkpoint), torch::kCPU);
  EXPECT_EQ(model.classes(), data.classes);
  const torch::Tensor probabilities = model.probabilities(model.prepare(data.validation.images));
  EXPECT_TRUE(probabilities.sum(1).allclose(torch::ones({data.validation.size()})));
  const torch::Tensor of_label =
      probabilities.gather(1, data.validation.labels.unsqueeze(1)).to(torch::kFloat64);
  EXPECT_NEAR(-of_label.log().mean().item<double>(), trained.best.val_loss, 1e-5);
}

TEST(TrainedModel, RefusesADamagedCheckpoint) {
  const TrialFolder folder;
  const Trained trained = train_in(folder.path(), synthetic_data());
  std::fstream file(trained.checkpoint, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('x').flush();
  const auto load = [&] { TrainedModel(SafetensorsFile(trained.checkpoint), torch::kCPU); };
  EXPECT_THAT(load, ThrowsMessage<SafetensorsError>(HasSubstr("checksum")));
}

TEST(TrainedModel, NamesTheFileOfTheBaseWhenItIsNotThereOrAnother) {
  const TrialFolder folder;
  const Trained trained = train_in(folder.path(), synthetic_data(), sweeps::TrainingMode::frozen);
  const auto load = [&] { TrainedModel(SafetensorsFile(trained.checkpoint), torch::kCPU); };
  const fs::path base = base_of(SafetensorsFile(trained.checkpoint));
  EXPECT_EQ(base.parent_path(), folder.shared());
  write_tensors(base, {{"fc.weight", torch::zeros({2})}}, {});
  EXPECT_THAT(load, ThrowsMessage<SafetensorsError>(HasSubstr("another base")));
  fs::remove(base);
  EXPECT_THAT(load, ThrowsMessage<SafetensorsError>(HasSubstr("not there: " + base.string())));
}

TEST(TrainedModel, RefusesWeightsThatAreNoCheckpoint) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "weights.safetensors";
  write_tensors(path, {{"fc.weight", torch::zeros({2})}}, {});
  const auto load = [&] { TrainedModel(SafetensorsFile(path), torch::kCPU); };
  EXPECT_THAT(load, ThrowsMessage<SafetensorsError>(HasSubstr("no trial's checkpoint")));
}

TEST(ClassifyFiles, ABadFileCostsItsOwnResultAlone) {
  const TrialFolder folder;
  const Trained trained = train_in(folder.path(), synthetic_data());
  TrainedModel model(SafetensorsFile(trained.checkpoint), torch::kCPU);
  const fs::path good = folder.write("good.jpg", jpeg_bytes(gradient(40, 30)));
  const fs::path bad = folder.write("bad.jpg", "");

  std::vector<Classification> results;
  classify_files(model, {bad, good, folder.path() / "none.png", good}, {.batch = 3},
                 [&](const Classification& result) { results.push_back(result); });
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].error, "is empty");
  EXPECT_THAT(results[2].error, HasSubstr("No such file"));
  EXPECT_EQ(results[1].error, "");
  EXPECT_EQ(results[1].probabilities.size(), 2U);
  EXPECT_NEAR(results[1].probabilities[0], results[3].probabilities[0], 1e-6);
  EXPECT_TRUE(results[1].occlusion.empty());
}

TEST(ClassifyFiles, FilesThatAreAllBadNeedNoNetwork) {
  const TrialFolder folder;
  const Trained trained = train_in(folder.path(), synthetic_data());
  TrainedModel model(SafetensorsFile(trained.checkpoint), torch::kCPU);
  int bad = 0;
  classify_files(model, {folder.path()}, {.explain = true},
                 [&](const Classification& result) { bad += result.error.empty() ? 0 : 1; });
  EXPECT_EQ(bad, 1);
}

TEST(Occlusion, HasOppositeSignsForTwoClassesAndNothingWhereNothingCanBeHidden) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  const Trained trained = train_in(folder.path(), data);
  TrainedModel model(SafetensorsFile(trained.checkpoint), torch::kCPU);
  const torch::Tensor image = data.validation.images[0];
  const torch::Tensor map = occlusion_map(model, image, 1);
  EXPECT_EQ(map.sizes(), (std::vector<std::int64_t>{12, 12}));
  EXPECT_GT(map.abs().max().item<float>(), 0);
  EXPECT_TRUE(map.allclose(-occlusion_map(model, image, 0), 1e-5, 1e-5));
  const torch::Tensor plain = occlusion_map(model, torch::full_like(image, 90), 1);
  EXPECT_LT(plain.abs().max().item<float>(), 1e-5);
}

TEST(Occlusion, ComesWithTheLikeliestClass) {
  const TrialFolder folder;
  const Trained trained = train_in(folder.path(), synthetic_data(3));
  TrainedModel model(SafetensorsFile(trained.checkpoint), torch::kCPU);
  const fs::path file = folder.write("image.jpg", jpeg_bytes(gradient(40, 30)));
  classify_files(model, {file}, {.explain = true}, [&](const Classification& result) {
    ASSERT_EQ(result.occlusion.size(), 12U);
    EXPECT_EQ(result.occlusion[0].size(), 12U);
  });
}

}  // namespace
}  // namespace ranksweep::worker
