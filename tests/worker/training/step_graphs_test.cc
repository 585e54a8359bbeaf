#include "worker/training/step_graphs.h"

#include <gmock/gmock.h>

namespace ranksweep::worker {
namespace {

using Tensors = StepGraphs::Tensors;

// Stands in for a GPU: a recording is the work itself, done again on the tensors that it was
// recorded with.
class StandInRecorder : public Recorder {
 public:
  struct Counts {
    int runs = 0;
    int recordings = 0;
    int replays = 0;
  };

  explicit StandInRecorder(Counts& counts) : counts_(counts) {}

  void run(const Work& work) override {
    ++counts_.runs;
    work();
  }
  std::unique_ptr<Recording> record(const Work& work) override {
    ++counts_.recordings;
    work();  // a GPU would only note it, and give outputs and gradients a place
    return std::make_unique<StandInRecording>(counts_);
  }

  // What a replay does, set by the test.
  static inline std::function<void()> again = [] {};

 private:
  class StandInRecording : public Recording {
   public:
    explicit StandInRecording(Counts& counts) : counts_(counts) {}
    void replay() override {
      ++counts_.replays;
      again();
    }

   private:
    Counts& counts_;
  };

  Counts& counts_;
};

class StepGraphsTest : public testing::Test {
 protected:
  void TearDown() override {
    StandInRecorder::again = [] {};
  }

  // The loss of a line through the inputs, by `factor`.
  Tensors step(const Tensors& inputs, double factor) {
    given_.push_back(inputs[0]);
    const torch::Tensor loss = (inputs[0] * weight_).sum() * factor;
    loss.backward();
    return {loss.detach()};
  }
  double take(const torch::Tensor& input, double factor = 1) {
    weight_.mutable_grad().reset();
    return graphs_
        .run({input}, factor, [&](const Tensors& inputs) { return step(inputs, factor); })[0]
        .item<double>();
  }

  torch::Tensor weight_ = torch::ones({2}).requires_grad_();
  std::vector<torch::Tensor> given_;  // to the step, each time that its code ran
  StandInRecorder::Counts counts_;
  StepGraphs graphs_{std::make_unique<StandInRecorder>(counts_), {weight_}};
};

TEST_F(StepGraphsTest, RunThreeStepsAsTheyAreThenReplayARecording) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(torch::full({2}, 1.0 + i)), 2 * (1.0 + i));
  EXPECT_EQ(counts_.recordings, 0);
  take(torch::full({2}, 7.0));
  EXPECT_EQ(counts_.recordings, 1);
  EXPECT_EQ(counts_.replays, 1);
  take(torch::full({2}, 8.0));
  EXPECT_EQ(counts_.recordings, 1);
  EXPECT_EQ(counts_.replays, 2);
  EXPECT_EQ(given_.size(), 4u);  // three steps and the recording
}

TEST_F(StepGraphsTest, AReplaySeesItsOwnInputsAndLeavesItsGradients) {
  for (int i = 0; i < 4; ++i) take(torch::ones({2}));
  const torch::Tensor recorded_input = given_.back();
  const torch::Tensor recorded_gradient = weight_.grad();
  StandInRecorder::again = [&] {
    recorded_gradient.copy_(recorded_input);  // d(sum of w x) / dw
  };
  take(torch::full({2}, 5.0));
  EXPECT_TRUE(recorded_input.eq(5).all().item<bool>());
  EXPECT_TRUE(weight_.grad().is_same(recorded_gradient));
  EXPECT_TRUE(weight_.grad().eq(5).all().item<bool>());
}

TEST_F(StepGraphsTest, AnotherShapeOrConstantIsAnotherGraph) {
  for (int i = 0; i < 4; ++i) take(torch::ones({2}));
  for (int i = 0; i < 3; ++i) take(torch::ones({2}), 0.5);
  for (int i = 0; i < 3; ++i) take(torch::ones({1}));  // the smaller last batches of three epochs
  EXPECT_EQ(counts_.recordings, 1);
  take(torch::ones({2}), 0.5);
  take(torch::ones({1}));
  EXPECT_EQ(counts_.recordings, 3);
  EXPECT_EQ(take(torch::ones({1}), 0.25), 0.5);  // of both weights
}

}  // namespace
}  // namespace ranksweep::worker
