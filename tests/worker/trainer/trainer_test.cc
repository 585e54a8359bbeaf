// Runs the real trainer as an agent does.
#include <fstream>
#include <signal.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cluster/trainer_process.h"
#include "sweeps/sweep_spec.h"
#include "tests/worker/data/image_files.h"
#include "tests/worker/training/computed.h"
#include "worker/data/data_set.h"

namespace ranksweep::worker {
namespace {

namespace fs = std::filesystem;
using cluster::Decision;

const std::string kProgram = std::string(RANKSWEEP_BIN_DIR) + "/ranksweep-trainer";
constexpr std::chrono::seconds kPatience(60);
constexpr int kSize = 32;

class TrainerTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("RANKSWEEP_CACHE", (folder_.path() / "cache").c_str(), 1);
    for (int i = 0; i < 12; ++i) {
      const std::string split = i < 8 ? "train/" : "val/";
      const std::string file = std::to_string(i) + ".png";
      folder_.write("data/" + split + "bright/" + file, png_bytes(plain(kSize, kSize, 200, i, i)));
      folder_.write("data/" + split + "dark/" + file, png_bytes(plain(kSize, kSize, 20, i, i)));
    }
    fs::create_directories(folder_.path() / "trial");
    start();
  }

  void start() {
    trainer_.emplace(std::vector<std::string>{kProgram});
    pending_.clear();
    EXPECT_EQ(next<cluster::Ready>().version, cluster::kProtocolVersion);
  }

  cluster::Assign assignment(int epochs_known = 0) {
    sweeps::TrialSpec spec;
    spec.architecture = "simple_cnn";
    spec.image_size = {kSize, kSize};
    spec.batch_size = 4;
    sweeps::DataSpec data;
    data.path = folder_.path() / "data";
    nlohmann::json data_json = sweeps::to_json(data);
    data_json["fingerprint"] = fingerprint(list_data_set(data));
    return {.attempt = ++attempt_,
            .trial = sweeps::TrialId("0123456789abcdef0123456789abcdef"),
            .spec = sweeps::to_canonical_json(spec),
            .data = std::move(data_json),
            .directory = (folder_.path() / "trial").string(),
            .device = "cpu",
            .threads = 1,
            .checkpoint_interval = 0,
            .known_epochs = epochs_known};
  }

  void send(const cluster::Command& command) { trainer_->send(command); }
  void answer(const cluster::EpochDone& epoch, Decision decision) {
    send(cluster::Verdict{epoch.attempt, epoch.metrics.epoch, decision});
  }

  // The next report that is no Progress, which must be a Message.
  template <class Message>
  Message next() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      for (auto& report : trainer_->exchange()) {
        if (!std::holds_alternative<cluster::Progress>(report)) pending_.push_back(report);
      }
      if (!pending_.empty()) {
        const cluster::Report report = pending_.front();
        pending_.erase(pending_.begin());
        if (const auto* message = std::get_if<Message>(&report)) return *message;
        ADD_FAILURE() << "unexpected: " << cluster::encode(report);
        return {};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ADD_FAILURE() << "the trainer says nothing; its output: " << trainer_->output_tail();
    return {};
  }

  std::vector<std::string> files_of_trial() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "trial")) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
  std::optional<cluster::TrainerProcess> trainer_;
  std::vector<cluster::Report> pending_;
  sweeps::AttemptId attempt_ = 0;
};

TEST_F(TrainerTest, TrainsOneTrialAfterTheOther) {
  for (int trial = 0; trial < 2; ++trial) {
    send(assignment());
    const auto started = next<cluster::Started>();
    EXPECT_EQ(started.parameters, 274'465);
    EXPECT_EQ(started.precision, "float32");
    EXPECT_EQ(started.memory_format, "channels_last");
    const auto first = next<cluster::EpochDone>();
    EXPECT_EQ(first.attempt, attempt_);
    EXPECT_EQ(first.metrics.epoch, 1);
    EXPECT_EQ(first.metrics.train_images, 16);
    EXPECT_EQ(first.metrics.val_images, 8);
    EXPECT_GT(first.metrics.validation_s, 0);
    EXPECT_LT(first.metrics.validation_s, first.metrics.seconds);
    EXPECT_GT(first.metrics.peak_memory_bytes, 10 << 20);
    answer(first, Decision::go_on);
    answer(next<cluster::EpochDone>(), Decision::stop);
    const auto predicted = next<cluster::Predicted>();
    EXPECT_EQ(predicted.predictions.images, 8);
    EXPECT_EQ(predicted.predictions.classes, 2);
    EXPECT_EQ(next<cluster::Finished>().attempt, attempt_);
    EXPECT_THAT(files_of_trial(),
                testing::ElementsAre(testing::MatchesRegex("best-[12].safetensors")));
  }
}

TEST_F(TrainerTest, AFrozenBaseRunsOnceForTheTrainersOfANode) {
  for (const int run : {2, 0}) {  // over the training images and the validation images
    cluster::Assign frozen = assignment();
    frozen.spec["training"] = "frozen";
    send(frozen);
    next<cluster::Started>();
    answer(next<cluster::EpochDone>(), Decision::go_on);
    answer(next<cluster::EpochDone>(), Decision::stop);
    next<cluster::Predicted>();
    const auto passes = next<cluster::BasePasses>();
    EXPECT_EQ(passes.used, 2);
    EXPECT_EQ(passes.run, run);
    next<cluster::Finished>();
    start();
  }
}

TEST_F(TrainerTest, StopsOnRequestAndGoesOnInAnotherProcess) {
  send(assignment());
  next<cluster::Started>();
  const auto first = next<cluster::EpochDone>();
  answer(first, Decision::go_on);
  send(cluster::Stop{attempt_});
  EXPECT_EQ(next<cluster::Stopped>().attempt, attempt_);

  start();
  send(assignment(/*epochs_known=*/1));
  EXPECT_EQ(next<cluster::Started>().resumed_from, 0);
  EXPECT_EQ(next<cluster::EpochDone>().metrics, first.metrics);  // reported again
}

TEST_F(TrainerTest, AKilledTrainerIsNoLoss) {
  send(assignment());
  next<cluster::Started>();
  auto epoch = next<cluster::EpochDone>();
  answer(epoch, Decision::go_on);
  epoch = next<cluster::EpochDone>();
  trainer_->kill();

  start();
  send(assignment(/*epochs_known=*/2));
  EXPECT_EQ(next<cluster::Started>().resumed_from, 0);
  answer(next<cluster::EpochDone>(), Decision::go_on);  // the one of the resume state
  EXPECT_EQ(sweeps::computed({next<cluster::EpochDone>().metrics}),
            sweeps::computed({epoch.metrics}));
}

TEST_F(TrainerTest, EndsWithItsAgent) {
  send(assignment());
  next<cluster::Started>();
  trainer_->close();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!trainer_->exit_status() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(trainer_->exit_status());
}

TEST_F(TrainerTest, AFileThatVanishesInMidSweepIsMissedOnlyWhereItIsToBeDecoded) {
  auto planned = assignment();
  const auto train_one_epoch = [&] {
    send(planned);
    next<cluster::Started>();
    answer(next<cluster::EpochDone>(), Decision::stop);
    next<cluster::Predicted>();
    next<cluster::Finished>();
    planned.attempt = ++attempt_;
  };
  train_one_epoch();
  fs::remove(folder_.path() / "data/train/dark/0.png");
  start();
  train_one_epoch();  // from the cache

  planned.spec["image_size"] = {40, 40};
  send(planned);
  const auto failed = next<cluster::Failed>();
  EXPECT_EQ(failed.cause, "data");
  EXPECT_THAT(failed.message,
              testing::AllOf(testing::HasSubstr("not those that the sweep was planned with"),
                             testing::HasSubstr("a file was changed, added or removed")));
}

TEST_F(TrainerTest, FailsWithACauseAndLivesOn) {
  auto bad = assignment();
  bad.data["path"] = "/nowhere";
  send(bad);
  EXPECT_EQ(next<cluster::Failed>().cause, "data");

  bad = assignment();
  bad.spec["weights"] = "/nowhere.safetensors";
  bad.spec["weights_hash"] = "0";
  send(bad);
  const auto failed = next<cluster::Failed>();
  EXPECT_EQ(failed.cause, "weights");
  EXPECT_THAT(failed.message, testing::HasSubstr("/nowhere.safetensors"));

  bad = assignment();
  fs::remove_all(folder_.path() / "trial");
  send(bad);
  next<cluster::Started>();
  EXPECT_EQ(next<cluster::Failed>().cause, "storage");

  fs::create_directories(folder_.path() / "trial");
  send(assignment());
  next<cluster::Started>();
}

}  // namespace
}  // namespace ranksweep::worker
