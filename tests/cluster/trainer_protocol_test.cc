#include "cluster/trainer_protocol.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::cluster {
namespace {

using testing::HasSubstr;

const sweeps::TrialId kTrial("0123456789abcdef0123456789abcdef");

std::string error_of(const std::string& line) {
  try {
    decode_report(line);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TrainerProtocol, AssignKeepsEveryFieldOnTheWire) {
  const Assign sent{.attempt = 7,
                    .trial = kTrial,
                    .spec = {{"architecture", "simple_cnn"}},
                    .data = {{"path", "/faces"}},
                    .directory = "/checkpoints/01",
                    .device = "cuda:1",
                    .threads = 4,
                    .checkpoint_interval = 2.5,
                    .known_epochs = 3,
                    .member = 1,
                    .members = 2,
                    .group = 5,
                    .batch_parts = 4,
                    .cuda_graphs = true};
  const std::string line = encode(Command(sent));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto received = std::get<Assign>(decode_command(line));
  EXPECT_EQ(received.attempt, sent.attempt);
  EXPECT_EQ(received.trial, sent.trial);
  EXPECT_EQ(received.spec, sent.spec);
  EXPECT_EQ(received.data, sent.data);
  EXPECT_EQ(received.directory, sent.directory);
  EXPECT_EQ(received.device, sent.device);
  EXPECT_EQ(received.threads, sent.threads);
  EXPECT_EQ(received.checkpoint_interval, sent.checkpoint_interval);
  EXPECT_EQ(received.known_epochs, sent.known_epochs);
  EXPECT_EQ(received.member, sent.member);
  EXPECT_EQ(received.members, sent.members);
  EXPECT_EQ(received.group, sent.group);
  EXPECT_EQ(received.batch_parts, sent.batch_parts);
  EXPECT_EQ(received.cuda_graphs, sent.cuda_graphs);
}

TEST(TrainerProtocol, AGroupsTokenTravelsAsItIs) {
  const std::string token = "memory|host|/proc/1/fd/3|\"0\"";
  const auto sent = std::get<GroupToken>(decode_report(encode(Report(GroupToken{7, token}))));
  EXPECT_EQ(sent.attempt, 7);
  EXPECT_EQ(sent.token, token);
  EXPECT_EQ(std::get<GroupReady>(decode_command(encode(Command(GroupReady{7, token})))).token,
            token);
}

TEST(TrainerProtocol, EpochKeepsEveryBitOfItsLosses) {
  EpochDone sent{.attempt = 1, .metrics = {.epoch = 2, .train_loss = 0.1 + 0.2, .val_loss = 1e-7}};
  sent.metrics.val_accuracy = 1.0 / 3;
  const auto received = std::get<EpochDone>(decode_report(encode(Report(sent))));
  EXPECT_EQ(received.metrics, sent.metrics);
}

TEST(TrainerProtocol, ATrainerMayKnowLittleOfAnEpoch) {
  const auto received = std::get<EpochDone>(decode_report(
      R"({"type": "epoch", "attempt": 1, "metrics": {"epoch": 1, "val_loss": 0.5, "seconds": 2}})"));
  EXPECT_EQ(received.metrics.val_loss, 0.5);
  EXPECT_TRUE(std::isnan(received.metrics.train_loss));
  EXPECT_TRUE(std::isnan(received.metrics.val_accuracy));
  EXPECT_EQ(received.metrics.val_images, 0);
  const auto again = std::get<EpochDone>(decode_report(encode(Report(received))));
  EXPECT_TRUE(std::isnan(again.metrics.train_accuracy));
  EXPECT_EQ(again.metrics.seconds, 2);
}

TEST(TrainerProtocol, MetricsOfAnyNameAreTheTrainersOwn) {
  EpochDone sent{.attempt = 1, .metrics = {.epoch = 2}, .own_metrics = {{"f1", 0.1 + 0.2}}};
  const auto received = std::get<EpochDone>(decode_report(encode(Report(sent))));
  EXPECT_EQ(received.own_metrics, sent.own_metrics);
  EXPECT_THAT(error_of(R"({"type": "epoch", "attempt": 1, "metrics": {"epoch": 1, "val_loss": 1,
                           "seconds": 1, "f1": "high"}})"),
              HasSubstr("must be number"));
}

TEST(TrainerProtocol, PredictionsKeepEveryBitInOneLine) {
  Predicted sent{.attempt = 3, .epoch = 2, .predictions = {.images = 1 << 16, .classes = 2}};
  for (int i = 0; i < 1 << 17; ++i) {
    sent.predictions.log_probabilities.push_back(-1.0F / static_cast<float>(i + 1));
  }
  const std::string line = encode(Report(sent));
  EXPECT_LT(line.size(), std::size_t{1} << 20);
  const auto received = std::get<Predicted>(decode_report(line));
  EXPECT_EQ(received.attempt, 3);
  EXPECT_EQ(received.epoch, 2);
  EXPECT_EQ(received.predictions, sent.predictions);
}

TEST(TrainerProtocol, PredictionsThatFitNothingAreRefused) {
  EXPECT_THAT(error_of(R"({"type": "predictions", "attempt": 1, "epoch": 1, "images": 2,
                           "classes": 2, "log_probabilities": "AAAAAA=="})"),
              HasSubstr("1 log-probabilities were given for 2 images"));
}

TEST(TrainerProtocol, TextThatIsNoUtf8StillTravels) {
  const auto line =
      encode(Report(Failed{.attempt = 1, .cause = "data", .message = "bad \xff name"}));
  EXPECT_THAT(std::get<Failed>(decode_report(line)).message, HasSubstr("bad "));
}

TEST(TrainerProtocol, AnErrorSaysWhatIsWrongWithALine) {
  EXPECT_THAT(error_of("hello"), HasSubstr("not a JSON object: hello"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("no message has the type ''"));
  EXPECT_THAT(error_of(R"({"type": 3})"), HasSubstr("no message has the type ''"));
  EXPECT_THAT(error_of(R"({"type": "epok"})"), HasSubstr("no message has the type 'epok'"));
  EXPECT_THAT(error_of(R"({"type": "stopped"})"), HasSubstr("attempt"));
  EXPECT_THAT(error_of(R"({"type": "stopped", "attempt": "x"})"), HasSubstr("must be number"));
  EXPECT_LT(error_of(std::string(1 << 20, 'x')).size(), 200u);
}

TEST(TrainerProtocol, ALossThatIsNoNumberIsRefused) {
  EpochDone report{.attempt = 1, .metrics = {.epoch = 1}};
  report.metrics.val_loss = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of(encode(Report(report))), HasSubstr("must be number"));
}

TEST(TrainerProtocol, ACommandIsNoReport) {
  EXPECT_THROW(decode_report(encode(Command(Stop{1}))), ProtocolError);
}

}  // namespace
}  // namespace ranksweep::cluster
