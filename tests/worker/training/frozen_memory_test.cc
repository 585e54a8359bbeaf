// A frozen base keeps nothing for a backward pass: counted in bytes, by Torch's own allocator.
#include <algorithm>
#include <memory>

#include <c10/core/Allocator.h>
#include <gtest/gtest.h>

#include "sweeps/architectures.h"
#include "tests/worker/training/synthetic.h"
#include "worker/training/trial_model.h"

namespace ranksweep::worker {
namespace {

const bool kOneThread = (at::set_num_threads(1), true);
constexpr std::int64_t kFloat = sizeof(float);

// While it lives: bytes of tensors that this thread has allocated and not freed.
class MemoryMeter {
 public:
  std::int64_t live() const { return counter_->live; }
  std::int64_t peak() const { return counter_->peak; }

 private:
  struct Counter : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t,
                           c10::Device) override {
      live += bytes;
      peak = std::max(peak, live);
    }
    bool memoryProfilingEnabled() const override { return true; }

    std::int64_t live = 0;
    std::int64_t peak = 0;
  };

  std::shared_ptr<Counter> counter_ = std::make_shared<Counter>();
  c10::DebugInfoGuard guard_{c10::DebugInfoKind::PROFILER_STATE, counter_};
};

// What a backward pass needs of the base for `images` images.
std::int64_t activation_bytes(const sweeps::TrialSpec& spec, int images) {
  return measure(find_architecture(spec.architecture).build, spec.image_size).activations * images *
         kFloat;
}

class FrozenMemory : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int kImages = 4;

  void SetUp() override {
    const int size = sweeps::find_architecture(GetParam())->smallest_size;
    spec_.architecture = GetParam();
    spec_.image_size = {size, size};
  }

  // What the pass of the first `frozen` blocks and the rest leaves behind beside its result.
  std::int64_t kept_bytes(TrialModel& model, int frozen) {
    model.model().base().freeze(frozen);
    model.model().train(true);
    const torch::Tensor images =
        torch::rand({kImages, 3, spec_.image_size[0], spec_.image_size[1]});
    const MemoryMeter meter;
    const torch::Tensor pooled = model.pooled(images);
    return meter.live() - static_cast<std::int64_t>(pooled.nbytes());
  }

  sweeps::TrialSpec spec_;
};

TEST_P(FrozenMemory, APassKeepsNoActivations) {
  TrialModel model(spec_, 2, torch::kCPU);
  const int blocks = model.model().base_blocks();
  EXPECT_EQ(kept_bytes(model, blocks), 0);
  // The measurement would see them.
  EXPECT_GE(kept_bytes(model, 0), activation_bytes(spec_, kImages) / 2);
  // Of a base that is frozen in part, the frozen blocks keep none.
  EXPECT_LT(kept_bytes(model, blocks - 1), kept_bytes(model, 0));
}

INSTANTIATE_TEST_SUITE_P(Architectures, FrozenMemory,
                         testing::ValuesIn(sweeps::architecture_names()),
                         [](const auto& name) { return name.param; });

constexpr int kTrainImages = 16;

sweeps::TrialSpec spec_of(sweeps::TrainingMode training) {
  sweeps::TrialSpec spec = synthetic_job("").spec;
  spec.training = training;
  spec.batch_size = kTrainImages;  // as many at once as a frozen pass has
  spec.image_size = {64, 64};
  spec.augmentation.horizontal_flip = true;  // so that the base runs in every epoch
  return spec;
}

// Of two epochs of one step.
std::int64_t peak_bytes(const sweeps::TrialSpec& spec) {
  const TrialFolder folder;
  TrainingJob job = synthetic_job(folder.path());
  job.spec = spec;
  const TrainingData data = synthetic_data(2, kTrainImages, 2, 64);
  ScriptedSupervisor supervisor(2);
  FeatureStore store(folder.shared() / "cache");
  const MemoryMeter meter;
  EXPECT_EQ(train(job, data, store, supervisor).kind, TrainingEnd::Kind::finished);
  return meter.peak();
}

TEST(FrozenTrial, KeepsNoActivationsNoGradientsAndNoAveragesOfTheBase) {
  const sweeps::TrialSpec full = spec_of(sweeps::TrainingMode::full);
  const std::int64_t base =
      measure(find_architecture(full.architecture).build, full.image_size).parameters * kFloat;
  EXPECT_GE(peak_bytes(full) - peak_bytes(spec_of(sweeps::TrainingMode::frozen)),
            activation_bytes(full, full.batch_size) + base /* gradients */ + base /* averages */);
}

}  // namespace
}  // namespace ranksweep::worker
