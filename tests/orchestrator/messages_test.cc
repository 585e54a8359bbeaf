#include "orchestrator/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::orchestrator {
namespace {

TEST(Messages, EachFindsItsRecipientAndKeepsItsContent) {
  const auto hello = encode(AgentMessage(
      Hello{.host = "n1",
            .device = "cuda:2",
            .threads = 3,
            .gpu = {.name = "GPU-1", .near = {{"GPU-2", cluster::Nearness::host_bridge}}}}));
  EXPECT_EQ(recipient_of(hello), Recipient::coordinator);
  const auto decoded_hello = std::get<Hello>(decode_agent_message(hello));
  EXPECT_EQ(decoded_hello.device, "cuda:2");
  EXPECT_EQ(decoded_hello.gpu.name, "GPU-1");
  EXPECT_EQ(decoded_hello.gpu.near.at("GPU-2"), cluster::Nearness::host_bridge);

  const auto report = encode(AgentMessage(cluster::Report(cluster::Finished{7})));
  EXPECT_EQ(recipient_of(report), Recipient::coordinator);
  EXPECT_EQ(
      std::get<cluster::Finished>(std::get<cluster::Report>(decode_agent_message(report))).attempt,
      7);

  const auto broken = encode(AgentMessage(AttemptBroken{.attempt = 8,
                                                        .outcome = sweeps::AttemptOutcome::failed,
                                                        .cause = "data",
                                                        .message = "line\nbreak",
                                                        .output_tail = "\xff"}));
  EXPECT_EQ(recipient_of(broken), Recipient::coordinator);
  const auto decoded = std::get<AttemptBroken>(decode_agent_message(broken));
  EXPECT_EQ(decoded.outcome, sweeps::AttemptOutcome::failed);
  EXPECT_EQ(decoded.message, "line\nbreak");

  const auto stop = encode(CoordinatorMessage(cluster::Command(cluster::Stop{9})));
  EXPECT_EQ(recipient_of(stop), Recipient::agent);
  EXPECT_EQ(
      std::get<cluster::Stop>(std::get<cluster::Command>(decode_coordinator_message(stop))).attempt,
      9);

  const auto abandon = encode(CoordinatorMessage(Abandon{.attempt = 3, .cause = "no progress"}));
  EXPECT_EQ(recipient_of(abandon), Recipient::agent);
  EXPECT_EQ(std::get<Abandon>(decode_coordinator_message(abandon)).cause, "no progress");

  const auto use = encode(CoordinatorMessage(UseTrainer{{"python3", "a b"}, "/sweeps"}));
  EXPECT_EQ(recipient_of(use), Recipient::agent);
  const auto decoded_use = std::get<UseTrainer>(decode_coordinator_message(use));
  EXPECT_EQ(decoded_use.command, (std::vector<std::string>{"python3", "a b"}));
  EXPECT_EQ(decoded_use.folder, "/sweeps");

  const auto shutdown = encode(CoordinatorMessage(Shutdown{}));
  EXPECT_EQ(recipient_of(shutdown), Recipient::agent);
  EXPECT_TRUE(std::holds_alternative<Shutdown>(decode_coordinator_message(shutdown)));
}

TEST(Messages, NonsenseIsRefused) {
  EXPECT_THROW(recipient_of("no kind"), cluster::ProtocolError);
  EXPECT_THROW(decode_agent_message("hello\n{"), cluster::ProtocolError);
  EXPECT_THROW(decode_agent_message("shutdown\n{}"), cluster::ProtocolError);
  EXPECT_THROW(decode_agent_message("broken\n{\"attempt\":1}"), cluster::ProtocolError);
  EXPECT_THROW(decode_coordinator_message("hello\n{}"), cluster::ProtocolError);
}

}  // namespace
}  // namespace ranksweep::orchestrator
