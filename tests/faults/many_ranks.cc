// What the coordinator costs when many ranks talk to it: tools/benchmarks/coordinator.py reads
// this.
//
//   many_ranks DATABASE RANKS SECONDS
//
// Each rank trains, and sends ten messages a second: eight times how far it is, an epoch, and that
// it lives. Epochs are committed to the real store. Seconds are of the coordinator's clock, in
// turns of 10 ms, about what a commit takes.
#include <cstdlib>
#include <deque>
#include <iostream>
#include <utility>
#include <vector>

#include "orchestrator/coordinator.h"
#include "results/sqlite_store.h"
#include "tests/faults/processor_time.h"
#include "tests/orchestrator/fakes.h"

namespace {

using namespace ranksweep;

constexpr int kMessagesASecond = 10;
constexpr std::chrono::milliseconds kTurn{10};

class BusyAgents : public cluster::Transport {
 public:
  explicit BusyAgents(int ranks) : agents_(static_cast<std::size_t>(ranks)) {
    for (cluster::Rank rank = 0; rank < ranks; ++rank) {
      say(rank, orchestrator::Hello{.host = "node", .device = "cpu", .threads = 1});
    }
  }
  cluster::Rank rank() const override { return 0; }
  int size() const override { return static_cast<int>(agents_.size()); }
  void send(cluster::Rank to, std::string body) override {
    heard_.emplace_back(to, std::move(body));
  }
  std::optional<cluster::Envelope> receive() override {
    if (said_.empty()) return std::nullopt;
    cluster::Envelope envelope = std::move(said_.front());
    said_.pop_front();
    return envelope;
  }

  // The messages of one turn, each rank's spread over its second.
  void act(int turn) {
    for (const auto& [rank, body] : std::exchange(heard_, {})) hear(rank, body);
    constexpr int kTurnsBetween = 1000 / kMessagesASecond / static_cast<int>(kTurn.count());
    for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
      const int phase = turn + static_cast<int>(rank);
      if (phase % kTurnsBetween == 0) {
        talk(static_cast<cluster::Rank>(rank), phase / kTurnsBetween % kMessagesASecond);
      }
    }
  }

 private:
  struct Agent {
    sweeps::AttemptId attempt = 0;
    int epochs = 0;
  };

  void hear(cluster::Rank rank, const std::string& body) {
    const auto message = orchestrator::decode_coordinator_message(body);
    const auto* command = std::get_if<cluster::Command>(&message);
    const auto* assign = command != nullptr ? std::get_if<cluster::Assign>(command) : nullptr;
    if (assign == nullptr) return;
    agents_[static_cast<std::size_t>(rank)].attempt = assign->attempt;
    say(rank, cluster::Report(cluster::Started{.attempt = assign->attempt, .parameters = 42}));
  }

  void talk(cluster::Rank rank, int number) {
    Agent& agent = agents_[static_cast<std::size_t>(rank)];
    if (agent.attempt == 0 || number == 0) {
      say(rank, orchestrator::Heartbeat{});
    } else if (number == kMessagesASecond - 1) {
      say(rank, cluster::Report(cluster::EpochDone{
                    .attempt = agent.attempt,
                    .metrics = {.epoch = ++agent.epochs, .val_loss = 0.5, .seconds = 1}}));
    } else {
      say(rank, cluster::Report(cluster::Progress{.attempt = agent.attempt,
                                                  .epoch = agent.epochs + 1,
                                                  .step = number,
                                                  .steps = kMessagesASecond,
                                                  .images_per_second = 1000}));
    }
  }

  void say(cluster::Rank from, const orchestrator::AgentMessage& message) {
    said_.push_back({.from = from, .body = orchestrator::encode(message)});
  }

  std::vector<Agent> agents_;
  std::deque<std::pair<cluster::Rank, std::string>> heard_;
  std::deque<cluster::Envelope> said_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: many_ranks DATABASE RANKS SECONDS\n";
    return 2;
  }
  const int ranks = std::atoi(argv[2]);
  const int seconds = std::atoi(argv[3]);
  const sweeps::Plan plan = orchestrator::plan_of(ranks, /*epochs=*/seconds + 10);
  const auto store = results::SqliteStore::open_for_sweep(
      argv[1], plan, {.source = "name: test", .data_path = "faces", .classes = {"a", "b"}});
  BusyAgents agents(ranks);
  orchestrator::CoordinatorOptions options;
  options.checkpoint_folder = std::string(argv[1]) + ".checkpoints";
  orchestrator::SilentListener listener;
  orchestrator::Coordinator coordinator(plan, options, agents, *store, listener);
  orchestrator::Clock::time_point now;
  long messages = 0;
  double processor = 0;
  const int turns_a_second = 1000 / static_cast<int>(kTurn.count());
  for (int turn = 1; turn <= (seconds + 1) * turns_a_second; ++turn) {
    now += kTurn;
    agents.act(turn);
    const bool warm = turn > turns_a_second;  // the first second hands out the trials
    const double begin = testing::processor_seconds();
    while (const auto envelope = agents.receive()) {
      coordinator.receive(envelope->from, orchestrator::decode_agent_message(envelope->body), now);
      messages += warm ? 1 : 0;
    }
    coordinator.flush(now);
    if (warm) processor += testing::processor_seconds() - begin;
  }
  std::cout << "messages " << messages << "\n"
            << "us_a_message " << 1e6 * processor / static_cast<double>(messages) << "\n"
            << "share_of_a_core " << processor / seconds << "\n";
}
