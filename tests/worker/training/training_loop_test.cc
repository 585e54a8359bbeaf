#include "worker/training/training_loop.h"

#include <fstream>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/training/computed.h"
#include "tests/worker/training/synthetic.h"
#include "worker/models/model.h"
#include "worker/models/shared_base.h"
#include "worker/models/tensor_file.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

// Small work: more threads would only get into each other's way.
const bool kOneThread = (at::set_num_threads(1), true);
using ::testing::ElementsAre;
using ::testing::Field;

TrainingEnd run(const TrainingJob& job, const TrainingData& data, Supervisor& supervisor) {
  FeatureStore store(job.directory.parent_path() / "cache");
  return train(job, data, store, supervisor);
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The arrays of a file by name, as bytes.
std::map<std::string, std::string> arrays_of(const fs::path& path) {
  const SafetensorsFile file(path);
  std::map<std::string, std::string> arrays;
  for (const auto& array : file.header().arrays) {
    const auto bytes = file.bytes(array);
    arrays[array.name].assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return arrays;
}

// Trains in one go; returns what the run reported and its resume state's arrays.
struct Result {
  std::vector<sweeps::EpochMetrics> epochs;
  std::map<std::string, std::string> state;
};

// Stops a run right before the last verdict, so that the final weights are on disk to be compared.
class StopAfter : public ScriptedSupervisor {
 public:
  StopAfter(int epochs, int stop_at) : ScriptedSupervisor(1000, stop_at), last_(epochs) {}
  Decision epoch_done(const sweeps::EpochMetrics& metrics) override {
    ScriptedSupervisor::epoch_done(metrics);
    return metrics.epoch >= last_ ? Decision::stop : Decision::go_on;
  }

 private:
  int last_;
};

Result run_uninterrupted(TrainingJob job, const TrainingData& data, int epochs) {
  const TrialFolder folder;
  job.directory = folder.path();
  StopAfter supervisor(epochs, -1);
  EXPECT_EQ(run(job, data, supervisor).kind, TrainingEnd::Kind::stopped);
  return {computed(supervisor.reported), arrays_of(folder.path() / "resume.safetensors")};
}

// The same, stopped and taken up again at random moments.
Result run_in_pieces(TrainingJob job, const TrainingData& data, int epochs, int seed) {
  const TrialFolder folder;
  job.directory = folder.path();
  std::minstd_rand random(seed);
  std::map<int, sweeps::EpochMetrics> by_epoch;
  while (static_cast<int>(by_epoch.size()) < epochs) {
    StopAfter supervisor(epochs, static_cast<int>(random() % 7));
    EXPECT_EQ(run(job, data, supervisor).kind, TrainingEnd::Kind::stopped);
    for (const auto& each : computed(supervisor.reported)) {
      const auto [known, is_new] = by_epoch.try_emplace(each.epoch, each);
      EXPECT_EQ(known->second, each) << "epoch " << each.epoch << " came out different";
    }
    job.known_epochs = static_cast<int>(by_epoch.size());
  }
  Result result{.epochs = {}, .state = arrays_of(folder.path() / "resume.safetensors")};
  for (const auto& [epoch, metrics] : by_epoch) result.epochs.push_back(metrics);
  return result;
}

void expect_equal_in_pieces(const TrainingJob& job, const TrainingData& data) {
  const Result whole = run_uninterrupted(job, data, 3);
  ASSERT_EQ(whole.epochs.size(), 3U);
  for (const int seed : {1, 2}) {
    const Result pieces = run_in_pieces(job, data, 3, seed);
    EXPECT_EQ(whole.epochs, pieces.epochs);
    EXPECT_EQ(whole.state, pieces.state);
  }
}

TEST(TrainingLoop, LearnsAndLeavesTheBestWeightsAlone) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data(2, 40, 12);
  ScriptedSupervisor supervisor(8);
  EXPECT_EQ(run(synthetic_job(folder.path()), data, supervisor).kind, TrainingEnd::Kind::finished);

  EXPECT_EQ(supervisor.resumed_from, 0);
  ASSERT_EQ(supervisor.reported.size(), 8U);
  int best = 1;
  for (const auto& each : supervisor.reported) {
    EXPECT_EQ(each.train_images, 40);
    EXPECT_EQ(each.val_images, 12);
    if (each.val_loss < supervisor.reported[best - 1].val_loss) best = each.epoch;
  }
  EXPECT_EQ(supervisor.reported[best - 1].val_accuracy, 1.0);
  EXPECT_EQ(supervisor.reported[best - 1].val_classes_predicted, 2);
  EXPECT_THAT(files_in(folder.path()),
              ElementsAre("best-" + std::to_string(best) + ".safetensors"));
}

// Mean loss of the images from what was predicted of each.
double loss_from(const sweeps::Predictions& predictions, const torch::Tensor& labels) {
  double sum = 0;
  for (int i = 0; i < predictions.images; ++i) {
    sum -= predictions.log_probabilities[static_cast<std::size_t>(i * predictions.classes +
                                                                  labels[i].item<std::int64_t>())];
  }
  return sum / predictions.images;
}

void expect_predictions_of_the_best_epoch(const TrainingJob& job, const TrainingData& data) {
  const TemporaryFolder whole_folder;
  TrainingJob whole = job;
  whole.directory = whole_folder.path();
  ScriptedSupervisor supervisor(6);
  run(whole, data, supervisor);
  const auto best =
      std::min_element(supervisor.reported.begin(), supervisor.reported.end(),
                       [](const auto& a, const auto& b) { return a.val_loss < b.val_loss; });
  EXPECT_EQ(supervisor.predicted_epoch, best->epoch);
  EXPECT_EQ(supervisor.predictions.images, data.validation.size());
  EXPECT_EQ(supervisor.predictions.classes, static_cast<int>(data.classes.size()));
  EXPECT_NEAR(loss_from(supervisor.predictions, data.validation.labels), best->val_loss, 1e-6);

  // And the same bits after an interruption at any moment.
  for (const int stop_at : {3, 9, 17, 22, 28}) {
    const TemporaryFolder folder;
    TrainingJob interrupted = job;
    interrupted.directory = folder.path();
    ScriptedSupervisor first(6, stop_at);
    EXPECT_EQ(run(interrupted, data, first).kind, TrainingEnd::Kind::stopped);
    EXPECT_EQ(first.predicted_epoch, 0);
    ScriptedSupervisor second(6);
    run(interrupted, data, second);
    EXPECT_EQ(second.predicted_epoch, best->epoch);
    EXPECT_EQ(second.predictions, supervisor.predictions);
  }
}

TEST(TrainingLoop, TellsWhatTheBestEpochPredicts) {
  TrainingJob job = synthetic_job("");
  job.spec.learning_rate = 3e-3;  // so that the best epoch is not the last
  expect_predictions_of_the_best_epoch(job, synthetic_data());
  job.spec.training = sweeps::TrainingMode::frozen;
  expect_predictions_of_the_best_epoch(job, synthetic_data(3));
}

TEST(TrainingLoop, LeavesOutPredictionsThatAreTooMany) {
  const TemporaryFolder folder;
  constexpr int kClasses = sweeps::kMostLogProbabilities / 9 + 1;
  ScriptedSupervisor supervisor(1);
  EXPECT_EQ(run(synthetic_job(folder.path()), synthetic_data(kClasses), supervisor).kind,
            TrainingEnd::Kind::finished);
  EXPECT_EQ(supervisor.predictions, sweeps::too_many_predictions(9, kClasses));
}

TEST(TrainingLoop, GivesTheSameBitsTwice) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  const Result first = run_uninterrupted(synthetic_job(folder.path()), data, 2);
  const Result second = run_uninterrupted(synthetic_job(folder.path()), data, 2);
  EXPECT_EQ(first.epochs, second.epochs);
  EXPECT_EQ(first.state, second.state);
}

TEST(TrainingLoop, AnotherSeedGivesOtherWeights) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  TrainingJob job = synthetic_job(folder.path());
  const Result first = run_uninterrupted(job, data, 1);
  job.spec.seed = 8;
  EXPECT_NE(first.state, run_uninterrupted(job, data, 1).state);
}

TEST(TrainingLoop, InterruptionsLeaveNoTrace) {
  TrainingJob job = synthetic_job("");
  job.spec.schedule = sweeps::PlateauSchedule{.patience = 1, .factor = 0.5, .min_delta = 1};
  expect_equal_in_pieces(job, synthetic_data());
}

TEST(TrainingLoop, InterruptionsLeaveNoTraceWithAdamAndThreeClasses) {
  TrainingJob job = synthetic_job("");
  job.spec.optimizer = sweeps::Optimizer::adam;
  expect_equal_in_pieces(job, synthetic_data(3));
}

TEST(TrainingLoop, InterruptionsLeaveNoTraceInFloat16) {
  TrainingJob job = synthetic_job("");
  job.spec.precision = sweeps::Precision::float16;
  expect_equal_in_pieces(job, synthetic_data());
}

TEST(TrainingLoop, InterruptionsLeaveNoTraceOfBatchesInParts) {
  TrainingJob job = synthetic_job("");
  job.batch_parts = 2;
  expect_equal_in_pieces(job, synthetic_data());
}

TEST(TrainingLoop, LearnsInFloat16) {
  TrainingJob job = synthetic_job("");
  const TrainingData data = synthetic_data(2, 40, 12);
  const Result exact = run_uninterrupted(job, data, 4);
  job.spec.precision = sweeps::Precision::float16;
  const Result half = run_uninterrupted(job, data, 4);
  EXPECT_NE(half.epochs, exact.epochs);
  EXPECT_NEAR(half.epochs.back().train_loss, exact.epochs.back().train_loss, 0.1);
}

TEST(TrainingLoop, InterruptionsLeaveNoTraceInAFrozenTrialThatThaws) {
  TrainingJob job = synthetic_job("");
  job.spec.training = sweeps::TrainingMode::frozen;
  job.spec.frozen_until = "block2";
  job.spec.unfreeze_at_epoch = 2;
  job.spec.base_learning_rate = 1e-4;
  expect_equal_in_pieces(job, synthetic_data());
}

TEST(TrainingLoop, InterruptionsLeaveNoTraceInAnAugmentedFrozenTrial) {
  TrainingJob job = synthetic_job("");
  job.spec.training = sweeps::TrainingMode::frozen;
  job.spec.augmentation.rotation = 20;
  job.spec.augmentation.horizontal_flip = true;
  expect_equal_in_pieces(job, synthetic_data());
}

TEST(TrainingLoop, AResumeStateAtEveryStepLeadsToTheSameEnd) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  TrainingJob job = synthetic_job(folder.path());
  job.checkpoint_interval = 0;
  const Result often = run_uninterrupted(job, data, 2);
  job.checkpoint_interval = 1e9;
  EXPECT_EQ(often.state, run_uninterrupted(job, data, 2).state);
}

TEST(TrainingLoop, ReportsAgainWhatTheSupervisorDoesNotKnow) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  TrainingJob job = synthetic_job(folder.path());
  StopAfter first(3, -1);
  run(job, data, first);

  ScriptedSupervisor second(3);
  job.known_epochs = 1;
  EXPECT_EQ(run(job, data, second).kind, TrainingEnd::Kind::finished);
  EXPECT_EQ(second.resumed_from, 1);
  EXPECT_THAT(second.reported, ElementsAre(first.reported[1], first.reported[2]));
}

TEST(TrainingLoop, ACompleteTrialOnlyHearsThatItIs) {
  const TrialFolder folder;
  const TrainingData data = synthetic_data();
  TrainingJob job = synthetic_job(folder.path());
  StopAfter first(3, -1);
  run(job, data, first);

  ScriptedSupervisor second(3);
  job.known_epochs = 3;
  EXPECT_EQ(run(job, data, second).kind, TrainingEnd::Kind::finished);
  EXPECT_EQ(second.resumed_from, 2);
  EXPECT_THAT(second.reported, ElementsAre(first.reported[2]));
  EXPECT_EQ(files_in(folder.path()).size(), 1U);
}

// Resume states that must not be trusted: training starts anew, with the same result.
class UntrustedState : public testing::Test {
 protected:
  void SetUp() override {
    StopAfter supervisor(2, -1);
    run(job_, data_, supervisor);
    whole_ = computed(supervisor.reported);
  }
  void expect_a_new_start() {
    job_.known_epochs = 2;
    StopAfter supervisor(2, -1);
    run(job_, data_, supervisor);
    EXPECT_EQ(supervisor.resumed_from, 0);
    EXPECT_EQ(computed(supervisor.reported), whole_);
  }

  TrialFolder folder_;
  TrainingData data_ = synthetic_data();
  TrainingJob job_ = synthetic_job(folder_.path());
  fs::path state_ = folder_.path() / "resume.safetensors";
  std::vector<sweeps::EpochMetrics> whole_;
};

TEST_F(UntrustedState, Truncated) {
  fs::resize_file(state_, fs::file_size(state_) - 1);
  expect_a_new_start();
}

TEST_F(UntrustedState, OneByteChanged) {
  std::fstream file(state_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(state_) / 2));
  const char byte = static_cast<char>(file.peek() ^ 1);
  file.write(&byte, 1);
  file.close();
  expect_a_new_start();
}

TEST_F(UntrustedState, OfAnotherTrial) {
  job_.trial = sweeps::TrialId("ffffffffffffffffffffffffffffffff");
  expect_a_new_start();
}

TEST_F(UntrustedState, WithoutItsBestWeights) {
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path() != state_) fs::remove(entry.path());
  }
  expect_a_new_start();
}

TEST(TrainingLoop, ALossThatIsNotFiniteEndsTheTrial) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.architecture = "vgg16_simple";
  job.spec.optimizer = sweeps::Optimizer::sgd;
  job.spec.learning_rate = 1e30;
  ScriptedSupervisor supervisor(30);
  const TrainingEnd end = run(job, synthetic_data(), supervisor);
  EXPECT_EQ(end.kind, TrainingEnd::Kind::diverged);
  EXPECT_EQ(end.epoch, static_cast<int>(supervisor.reported.size()) + 1);
  EXPECT_FALSE(fs::exists(folder.path() / "resume.safetensors"));
  EXPECT_EQ(supervisor.predicted_epoch, 0);
}

TEST(TrainingLoop, FrozenLeavesTheBaseAsItIs) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.training = sweeps::TrainingMode::frozen;
  ScriptedSupervisor supervisor(2);
  run(job, synthetic_data(), supervisor);
  const int best = supervisor.reported[1].val_loss < supervisor.reported[0].val_loss ? 2 : 1;
  const SafetensorsFile head(folder.path() / ("best-" + std::to_string(best) + ".safetensors"));
  EXPECT_EQ(head.header().arrays.size(), 4U);  // two layers
  const auto arrays = arrays_of(base_of(head));

  Model untrained(job.spec, 2);
  for (const auto& [name, tensor, block] : untrained.tensors()) {
    if (block == untrained.base_blocks()) continue;
    const torch::Tensor plain = tensor.contiguous();
    const std::string bytes(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
    EXPECT_EQ(arrays.at(name), bytes) << name;
  }
}

TEST(TrainingLoop, AFrozenTrialThawsInItsEpoch) {
  TrainingJob job = synthetic_job("");
  job.spec.training = sweeps::TrainingMode::frozen;
  job.spec.unfreeze_at_epoch = 2;
  const TrainingData data = synthetic_data();
  const std::string weight = "block1.conv.weight";
  const std::string mean = "block1.bn.running_mean";
  Model untrained(job.spec, 2);
  const torch::Tensor initial = untrained.tensors()[0].tensor.contiguous();
  ASSERT_EQ(untrained.tensors()[0].name, weight);

  const auto frozen = run_uninterrupted(job, data, 1).state;
  EXPECT_EQ(frozen.at(weight),
            std::string(static_cast<const char*>(initial.const_data_ptr()), initial.nbytes()));
  const auto thawed = run_uninterrupted(job, data, 2).state;
  EXPECT_NE(thawed.at(weight), frozen.at(weight));
  EXPECT_NE(thawed.at(mean), frozen.at(mean));
}

}  // namespace
}  // namespace ranksweep::worker
