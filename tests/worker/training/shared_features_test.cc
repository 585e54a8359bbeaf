// Trials share the passes of what is frozen of their base, and nobody can tell from their results.
#include <array>
#include <fstream>
#include <map>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/file_content.h"
#include "tests/worker/training/computed.h"
#include "tests/worker/training/synthetic.h"
#include "worker/models/tensor_file.h"
#include "worker/training/trial_features.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;

const bool kOneThread = (at::set_num_threads(1), true);

constexpr int kEpochs = 3;

enum class Frozen { base, base_with_augmentation, leading_blocks };
void PrintTo(Frozen frozen, std::ostream* out) {
  constexpr std::array kNames = {"base", "base_with_augmentation", "leading_blocks"};
  *out << kNames[static_cast<std::size_t>(frozen)];
}

// What a run computed: its epochs without how long they took, and the bytes of its best weights.
struct Result {
  std::vector<sweeps::EpochMetrics> epochs;
  std::string best;

  bool operator==(const Result&) const = default;
};

// The trials of a sweep in a folder of their own, with a cache.
class Sweep {
 public:
  explicit Sweep(Frozen frozen) : frozen_(frozen) {}

  fs::path cache() const { return folder_ / "cache"; }
  FeatureStore store() const { return FeatureStore(cache()); }

  TrainingJob job(double learning_rate) const {
    TrainingJob job = synthetic_job(folder_ / std::to_string(learning_rate));
    fs::create_directories(job.directory);
    if (frozen_ == Frozen::leading_blocks) {
      job.spec.frozen_until = "block3";
    } else {
      job.spec.training = sweeps::TrainingMode::frozen;
    }
    job.spec.learning_rate = learning_rate;
    job.spec.epochs = kEpochs;
    if (frozen_ == Frozen::base_with_augmentation) {
      job.spec.augmentation.rotation = 20;
      job.spec.augmentation.horizontal_flip = true;
    }
    return job;
  }

  Result run(double learning_rate, FeatureStore& store, int stop_at = -1) const {
    ScriptedSupervisor supervisor(kEpochs, stop_at);
    const TrainingJob trial = job(learning_rate);
    train(trial, data_, store, supervisor);
    Result result{.epochs = computed(supervisor.reported), .best = {}};
    for (const auto& entry : fs::directory_iterator(trial.directory)) {
      if (entry.path().filename().string().starts_with("best-")) {
        result.best = content_of(entry.path());
      }
    }
    return result;
  }
  Result run_alone(double learning_rate) const {
    FeatureStore store = this->store();
    return run(learning_rate, store);
  }

 private:
  TemporaryFolder folder_;
  TrainingData data_ = synthetic_data();
  Frozen frozen_;
};

constexpr double kSlow = 1e-4;
constexpr double kQuick = 1e-2;

class SharedFeatures : public testing::TestWithParam<Frozen> {
 protected:
  SharedFeatures() {
    slow_ = Sweep(GetParam()).run_alone(kSlow);
    quick_ = Sweep(GetParam()).run_alone(kQuick);
  }
  // The passes of one trial: of the training images once, or once an epoch; of the validation ones.
  static int passes() { return GetParam() == Frozen::base_with_augmentation ? kEpochs + 1 : 2; }

  Result slow_;  // as trained alone
  Result quick_;
};
INSTANTIATE_TEST_SUITE_P(OfWhatIsFrozen, SharedFeatures,
                         testing::Values(Frozen::base, Frozen::base_with_augmentation,
                                         Frozen::leading_blocks));

TEST_P(SharedFeatures, ATrialIsTheSameAloneAndAfterAnother) {
  EXPECT_NE(slow_, quick_);
  EXPECT_FALSE(slow_.best.empty());
  for (const bool in_order : {true, false}) {
    const Sweep sweep(GetParam());
    FeatureStore store = sweep.store();
    const Result first = sweep.run(in_order ? kSlow : kQuick, store);
    EXPECT_EQ(store.counts().computed, passes());
    const Result second = sweep.run(in_order ? kQuick : kSlow, store);
    EXPECT_EQ(store.counts().computed, passes());
    EXPECT_EQ(store.counts().used, 2 * passes());
    EXPECT_EQ(in_order ? first : second, slow_);
    EXPECT_EQ(in_order ? second : first, quick_);
  }
}

TEST_P(SharedFeatures, AnotherTrainerOfTheNodeSharesThem) {
  const Sweep sweep(GetParam());
  EXPECT_EQ(sweep.run_alone(kSlow), slow_);
  FeatureStore store = sweep.store();
  EXPECT_EQ(sweep.run(kQuick, store), quick_);
  EXPECT_EQ(store.counts().computed, 0);
}

TEST_P(SharedFeatures, TwoTrainersAtOnceDoEachPassOnce) {
  const Sweep sweep(GetParam());
  std::vector<pid_t> children;
  for (const double learning_rate : {kSlow, kQuick}) {
    const pid_t child = fork();
    if (child == 0) {
      FeatureStore store = sweep.store();
      const Result result = sweep.run(learning_rate, store);
      _exit(result == (learning_rate == kSlow ? slow_ : quick_) ? store.counts().computed : 100);
    }
    children.push_back(child);
  }
  int computed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    computed += WEXITSTATUS(status);
  }
  EXPECT_EQ(computed, passes());
}

TEST_P(SharedFeatures, ATrialTakenUpInTheMiddleIsTheSame) {
  const Sweep sweep(GetParam());
  std::map<int, sweeps::EpochMetrics> epochs;
  Result last;
  for (int stop_at = 1; last.epochs.empty() || last.epochs.back().epoch < kEpochs; ++stop_at) {
    FeatureStore store = sweep.store();  // another trainer each time
    last = sweep.run(kQuick, store, stop_at);
    for (const auto& each : last.epochs) epochs.try_emplace(each.epoch, each);
  }
  EXPECT_EQ(last.best, quick_.best);
  ASSERT_EQ(epochs.size(), quick_.epochs.size());
  for (const auto& each : quick_.epochs) EXPECT_EQ(epochs.at(each.epoch), each);
}

TEST_P(SharedFeatures, ACacheThatIsDamagedInBetweenChangesNothing) {
  const Sweep sweep(GetParam());
  sweep.run_alone(kSlow);
  for (const auto& entry : fs::directory_iterator(sweep.cache())) {
    fs::resize_file(entry.path(), fs::file_size(entry.path()) - 1);
  }
  FeatureStore store = sweep.store();
  EXPECT_EQ(sweep.run(kQuick, store), quick_);
  EXPECT_EQ(store.counts().computed, passes());
}

TEST_P(SharedFeatures, ACacheThatCannotBeWrittenCostsTheSharingAlone) {
  const Sweep sweep(GetParam());
  std::ofstream(sweep.cache()) << "a file where the folder should be";
  FeatureStore store = sweep.store();
  EXPECT_EQ(sweep.run(kSlow, store), slow_);
  EXPECT_EQ(sweep.run(kQuick, store), quick_);
  EXPECT_EQ(store.counts().computed, passes());
}

// An augmentation that changes no pixel has each step run the whole network.
TEST(SharedLeadingBlocks, GiveTheEpochsOfTheWholeNetwork) {
  for (const auto format :
       {sweeps::MemoryFormat::contiguous, sweeps::MemoryFormat::channels_last}) {
    std::vector<std::vector<sweeps::EpochMetrics>> epochs;
    std::vector<int> passes;
    for (const auto fill : {sweeps::FillMode::nearest, sweeps::FillMode::wrap}) {
      const TrialFolder folder;
      TrainingJob job = synthetic_job(folder.path());
      job.spec.frozen_until = "block2";
      job.spec.epochs = kEpochs;
      job.spec.memory_format = format;
      job.spec.augmentation.fill_mode = fill;
      FeatureStore store(folder.shared() / "cache");
      ScriptedSupervisor supervisor(kEpochs);
      train(job, synthetic_data(), store, supervisor);
      epochs.push_back(supervisor.reported);
      passes.push_back(store.counts().used);
    }
    EXPECT_EQ(passes, (std::vector{2, 0}));
    for (std::size_t i = 0; i < kEpochs; ++i) {
      EXPECT_NEAR(epochs[0].at(i).train_loss, epochs[1].at(i).train_loss, 1e-5);
      EXPECT_NEAR(epochs[0].at(i).val_loss, epochs[1].at(i).val_loss, 1e-5);
    }
  }
}

// The whole base at first, then the blocks that stay frozen.
TEST(SharedLeadingBlocks, ComeAfterTheWholeBaseWhereItIsUnfrozen) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.training = sweeps::TrainingMode::frozen;
  job.spec.unfreeze_at_epoch = 2;
  job.spec.frozen_until = "block2";
  job.spec.epochs = kEpochs;
  FeatureStore store(folder.shared() / "cache");
  ScriptedSupervisor supervisor(kEpochs);
  EXPECT_EQ(train(job, synthetic_data(), store, supervisor).kind, TrainingEnd::Kind::finished);
  EXPECT_EQ(store.counts().used, 4);
}

void write_weights(const fs::path& path, const sweeps::TrialSpec& spec) {
  const Model model(spec, 2);
  NamedTensors tensors;
  for (const auto& [name, tensor, block] : model.tensors()) tensors.emplace_back(name, tensor);
  write_tensors(path, tensors, {});
}

// Neither built nor read: the weights' file may be gone by then.
TEST(SharedFeaturesOfWeights, ASecondTrialNeedsNoBase) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.training = sweeps::TrainingMode::frozen;
  const fs::path weights = folder.shared() / "weights.safetensors";
  write_weights(weights, job.spec);
  job.spec.weights = weights;
  job.spec.weights_hash = sweeps::hash_hex_of_file(weights);
  FeatureStore store(folder.shared() / "cache");
  ScriptedSupervisor first(2);
  EXPECT_EQ(train(job, synthetic_data(), store, first).kind, TrainingEnd::Kind::finished);

  fs::remove(weights);
  job.spec.learning_rate = 0.01;
  ScriptedSupervisor second(2);
  EXPECT_EQ(train(job, synthetic_data(), store, second).kind, TrainingEnd::Kind::finished);
}

TEST(SharedFeaturesOfWeights, RefusesWeightsThatWereExchanged) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec.training = sweeps::TrainingMode::frozen;
  const fs::path weights = folder.shared() / "weights.safetensors";
  write_weights(weights, job.spec);
  job.spec.weights = weights;
  job.spec.weights_hash = "0";
  FeatureStore store(folder.shared() / "cache");
  ScriptedSupervisor supervisor(2);
  EXPECT_THAT([&] { train(job, synthetic_data(), store, supervisor); },
              testing::ThrowsMessage<SafetensorsError>(testing::HasSubstr("planned with")));
}

}  // namespace
}  // namespace ranksweep::worker
