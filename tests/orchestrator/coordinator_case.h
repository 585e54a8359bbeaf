#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "orchestrator/coordinator.h"
#include "tests/orchestrator/fakes.h"

namespace ranksweep::orchestrator {

// A coordinator whose store, transport and agents are played by the test.
class CoordinatorCase : public testing::Test {
 protected:
  // Starts the coordinator, or starts it again on the same store, as after a crash.
  void start(int trials, int ranks) { start(plan_of(trials), ranks); }
  void start(sweeps::Plan plan, int ranks) {
    plan_ = std::move(plan);
    store_ = std::make_unique<FakeStore>(plan_);
    restart(ranks);
  }
  void restart(int ranks) {
    transport_ = std::make_unique<FakeTransport>(ranks);
    CoordinatorOptions options{.execution = execution_};
    options.checkpoint_folder = checkpoints_;
    options.deadline = deadline_;
    coordinator_ = std::make_unique<Coordinator>(plan_, options, *transport_, *store_, listener_);
    for (int rank = 0; rank < ranks; ++rank) {
      receive(rank, Hello{.host = "node", .device = "cpu", .threads = 1});
    }
  }
  void receive(cluster::Rank from, const AgentMessage& message) {
    coordinator_->receive(from, message, now_);
  }
  void report(cluster::Rank from, const cluster::Report& report) { receive(from, report); }
  void flush() { coordinator_->flush(now_); }
  void flush_later() {
    now_ += std::chrono::seconds(1);
    flush();
  }

  // What was sent to `rank` since the last call.
  std::vector<CoordinatorMessage> sent_to(cluster::Rank rank) {
    std::vector<CoordinatorMessage> messages;
    std::erase_if(transport_->sent, [&](const auto& entry) {
      if (entry.first == rank) {
        messages.push_back(decode_coordinator_message(entry.second));
      }
      return entry.first == rank;
    });
    return messages;
  }
  template <class Message>
  Message only_command_to(cluster::Rank rank) {
    const auto messages = sent_to(rank);
    EXPECT_EQ(messages.size(), 1u);
    return std::get<Message>(std::get<cluster::Command>(messages.at(0)));
  }
  // Without what keeps leases.
  std::vector<cluster::Command> sent_commands_to(cluster::Rank rank) {
    std::vector<cluster::Command> commands;
    for (const CoordinatorMessage& message : sent_to(rank)) {
      if (const auto* command = std::get_if<cluster::Command>(&message)) {
        commands.push_back(*command);
      }
    }
    return commands;
  }
  void pass_without_a_word_from_rank_0(std::chrono::seconds time) {
    for (std::chrono::seconds passed{0}; passed < time; ++passed) {
      now_ += std::chrono::seconds(1);
      receive(1, Heartbeat{});
      flush();
    }
  }
  void finish_trial_on(cluster::Rank rank) {
    const auto attempt = only_command_to<cluster::Assign>(rank).attempt;
    report(rank, cluster::Started{.attempt = attempt});
    for (int epoch = 1; epoch <= 3; ++epoch) {
      report(rank, cluster::EpochDone{.attempt = attempt, .metrics = {.epoch = epoch}});
    }
    flush();
    sent_to(rank);
    report(rank, cluster::Finished{attempt});
    flush();
  }

  // What was noted of that kind.
  std::vector<std::string> events(const std::string& kind) const {
    std::vector<std::string> messages;
    for (const results::Change& change : store_->log) {
      const auto* event = std::get_if<results::EventNoted>(&change);
      if (event != nullptr && event->kind == kind) {
        messages.push_back(event->message);
      }
    }
    return messages;
  }

  sweeps::Plan plan_;
  std::unique_ptr<FakeStore> store_;
  std::unique_ptr<FakeTransport> transport_;
  sweeps::Execution execution_;
  SilentListener listener_;
  std::string checkpoints_ = testing::TempDir() + "/coordinator_test";
  std::unique_ptr<Coordinator> coordinator_;
  Clock::time_point now_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace ranksweep::orchestrator
