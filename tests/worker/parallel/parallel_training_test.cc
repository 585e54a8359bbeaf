#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sweeps/architectures.h"
#include "tests/worker/parallel/members.h"
#include "tests/worker/training/synthetic.h"
#include "worker/models/tensor_file.h"
#include "worker/parallel/replicas.h"
#include "worker/training/run_state.h"
#include "worker/training/training_loop.h"

// Training in a group, beside training alone.
namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

const bool kOneThread = (at::set_num_threads(1), true);

using Arrays = std::map<std::string, torch::Tensor>;

Arrays arrays_of(const fs::path& path) {
  const SafetensorsFile file(path);
  Arrays arrays;
  for (const auto& array : file.header().arrays) {
    const auto type = array.dtype == "I64" ? torch::kInt64 : torch::kFloat32;
    const torch::Tensor tensor = torch::empty(array.shape, type);
    read_into(tensor, file, array);
    arrays[array.name] = tensor;
  }
  return arrays;
}

// Stops after so many steps, or when `epochs` are done.
class StopAfterSteps : public ScriptedSupervisor {
 public:
  StopAfterSteps(int steps, int epochs) : ScriptedSupervisor(epochs), steps_(steps) {}
  bool stop_requested() override { return steps_taken_ >= steps_; }
  void progressed(int epoch, int step, int, double) override {
    if (epoch > 0 && step > 0) ++steps_taken_;
  }
  Decision epoch_done(const sweeps::EpochMetrics& metrics) override {
    ScriptedSupervisor::epoch_done(metrics);
    return metrics.epoch >= last_epoch ? Decision::stop : Decision::go_on;
  }
  int last_epoch = 1000;

 private:
  int steps_;
  int steps_taken_ = 0;
};

struct Outcome {
  Arrays state;
  std::vector<sweeps::EpochMetrics> epochs;
};

// Trains until `steps` steps are taken or `epochs` are complete and returns the resume state.
Outcome train_together(int members, TrainingJob job, const TrainingData& data, int steps,
                       int epochs) {
  Outcome outcome;
  as_processes(members, [&](GradientGroup& group) {
    TrainingJob own = job;
    if (members > 1) own.group = &group;
    if (group.member() > 0) own.directory = "/nowhere";  // members need no files
    // A group takes the step in which its members agree to stop.
    StopAfterSteps supervisor(own.group ? steps - 1 : steps, epochs);
    supervisor.last_epoch = epochs;
    FeatureStore store(job.directory / "cache");
    const TrainingEnd end = train(own, data, store, supervisor);
    EXPECT_EQ(end.kind, TrainingEnd::Kind::stopped);
    if (group.member() > 0) {
      EXPECT_TRUE(supervisor.reported.empty());
    } else {
      std::ofstream(job.directory / "epochs.json")
          << to_json(RunState{.history = supervisor.reported});
    }
  });
  std::ifstream reported(job.directory / "epochs.json");
  outcome.epochs = run_state_from_json(nlohmann::json::parse(reported)).history;
  outcome.state = arrays_of(job.directory / "resume.safetensors");
  return outcome;
}

double relative_difference(const Arrays& a, const Arrays& b) {
  double difference = 0;
  double size = 0;
  for (const auto& [name, tensor] : a) {
    if (name.starts_with("optimizer.") || tensor.scalar_type() != torch::kFloat32) continue;
    difference += (tensor - b.at(name)).to(torch::kFloat64).square().sum().item<double>();
    size += tensor.to(torch::kFloat64).square().sum().item<double>();
  }
  return std::sqrt(difference / size);
}

// With batch normalisation simple_cnn alone: synchronized_networks_test.cc has the deeper ones.
class EachArchitecture : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Architectures, EachArchitecture,
                         testing::Values("simple_cnn", "vgg16_simple", "vgg16"));

// Ten steps over batches of which the last of each epoch is uneven.
TEST_P(EachArchitecture, TrainsInAGroupAsAlone) {
  const int size = std::max(sweeps::find_architecture(GetParam())->smallest_size, 32);
  const TrainingData data = synthetic_data(2, 27, 9, size);
  TrainingJob job = synthetic_job("");
  job.spec.architecture = GetParam();
  job.spec.image_size = {size, size};
  job.spec.batch_size = 8;
  job.spec.learning_rate = 1e-3;
  job.spec.optimizer = sweeps::Optimizer::sgd;
  job.spec.dropout = 0;
  job.spec.head.dense = {16};
  job.spec.sync_batch_norm = true;
  const TemporaryFolder alone;
  job.directory = alone.path();
  const Outcome expected = train_together(1, job, data, 10, 1000);
  const int members =
      2 + static_cast<int>(GetParam().size() % 3);  // 2, 3, 4 over the architectures
  const TemporaryFolder together;
  job.directory = together.path();
  const Outcome found = train_together(members, job, data, 10, 1000);
  EXPECT_LT(relative_difference(expected.state, found.state), 1e-5);
}

class Members : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(TwoToFour, Members, testing::Values(2, 3, 4));

TEST_P(Members, GiveTheEpochsOfOneProcess) {
  const TrainingData data = synthetic_data(3, 26, 70);
  const TemporaryFolder alone;
  const TemporaryFolder together;
  TrainingJob job = synthetic_job(alone.path());
  job.spec.dropout = 0;
  job.spec.batch_size = 8;
  job.spec.optimizer = sweeps::Optimizer::sgd;
  job.spec.sync_batch_norm = true;
  const Outcome expected = train_together(1, job, data, 1000, 3);
  job.directory = together.path();
  const Outcome found = train_together(GetParam(), job, data, 1000, 3);
  ASSERT_EQ(found.epochs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(found.epochs[i].train_loss, expected.epochs[i].train_loss, 1e-5);
    EXPECT_NEAR(found.epochs[i].val_loss, expected.epochs[i].val_loss, 1e-5);
    EXPECT_EQ(found.epochs[i].train_images, 26);
    EXPECT_EQ(found.epochs[i].val_images, 70);
  }
}

// Epochs of one step, after each of which training compares all bits.
TEST_P(Members, AreEqualAfterEveryStep) {
  constexpr int kSteps = 10;
  const TemporaryFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.batch_size = 9;
  const TrainingData data = synthetic_data(2, job.spec.batch_size);
  as_processes(GetParam(), [&](GradientGroup& group) {
    TrainingJob own = job;
    own.group = &group;
    FeatureStore store(folder / "cache");
    ScriptedSupervisor supervisor(kSteps);
    EXPECT_EQ(train(own, data, store, supervisor).kind, TrainingEnd::Kind::finished);
    EXPECT_EQ(supervisor.reported.size(), group.member() == 0 ? kSteps : 0);
  });
}

// Batch normalisation by parts, dropout, a base that thaws: what could differ after an
// interruption.
TEST_P(Members, GoOnAfterAnInterruptionBitForBit) {
  const TrainingData data =
      synthetic_data(2, 24, 9, 32);  // two images a member: one has no variance
  TrainingJob job = synthetic_job("");
  job.spec.batch_size = 8;
  job.spec.training = sweeps::TrainingMode::frozen;
  job.spec.frozen_until = "block3";
  job.spec.unfreeze_at_epoch = 2;
  job.spec.optimizer = sweeps::Optimizer::adam;
  const TemporaryFolder whole_folder;
  job.directory = whole_folder.path();
  const Outcome whole = train_together(GetParam(), job, data, 1000, 2);
  const TemporaryFolder pieces_folder;
  job.directory = pieces_folder.path();
  train_together(GetParam(), job, data, 2, 2);
  train_together(GetParam(), job, data, 2, 2);
  const Outcome pieces = train_together(GetParam(), job, data, 1000, 2);
  ASSERT_EQ(whole.state.size(), pieces.state.size());
  for (const auto& [name, tensor] : whole.state) {
    EXPECT_TRUE(tensor.equal(pieces.state.at(name))) << name;
  }
}

TEST(ParallelTraining, AllMembersHearThatTheTrialIsComplete) {
  const TrainingData data = synthetic_data();
  const TemporaryFolder folder;
  const TrainingJob job = synthetic_job(folder.path());
  as_processes(2, [&](GradientGroup& group) {
    TrainingJob own = job;
    own.group = &group;
    ScriptedSupervisor supervisor(2);
    FeatureStore store(job.directory / "cache");
    EXPECT_EQ(train(own, data, store, supervisor).kind, TrainingEnd::Kind::finished);
  });
  EXPECT_FALSE(fs::exists(folder.path() / "resume.safetensors"));
}

// A member that steps otherwise than the others, as one with a broken device might.
TEST(ParallelTraining, MembersThatAreNotEqualAnyMoreEndTheirAttempt) {
  const TrainingData data = synthetic_data();
  const TemporaryFolder folder;
  as_processes(3, [&](GradientGroup& group) {
    TrainingJob job = synthetic_job(folder.path());
    job.group = &group;
    if (group.member() == 1) job.spec.learning_rate *= 2;
    FeatureStore store(folder / "cache");
    ScriptedSupervisor supervisor(3);
    EXPECT_THAT([&] { train(job, data, store, supervisor); },
                testing::ThrowsMessage<ReplicasDiverged>(testing::HasSubstr("member 1 differ")));
    EXPECT_TRUE(supervisor.reported.empty());
  });
}

TEST(ParallelTraining, AllMembersSeeTheLossDiverge) {
  const TrainingData data = synthetic_data();
  const TemporaryFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.architecture = "vgg16_simple";
  job.spec.optimizer = sweeps::Optimizer::sgd;
  job.spec.learning_rate = 1e30;
  as_processes(2, [&](GradientGroup& group) {
    TrainingJob own = job;
    own.group = &group;
    ScriptedSupervisor supervisor(30);
    FeatureStore store(job.directory / "cache");
    EXPECT_EQ(train(own, data, store, supervisor).kind, TrainingEnd::Kind::diverged);
  });
}

}  // namespace
}  // namespace ranksweep::worker
