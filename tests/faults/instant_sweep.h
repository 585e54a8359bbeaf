#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "orchestrator/coordinator.h"
#include "results/journal.h"
#include "tests/orchestrator/fakes.h"

namespace ranksweep::testing {

// Agents in memory, whose trainers take no time. Losses are a function of trial and epoch. The
// first attempt at the third trial is lost after its first epoch.
class InstantAgents : public cluster::Transport {
 public:
  explicit InstantAgents(int ranks);
  cluster::Rank rank() const override { return 0; }
  int size() const override { return ranks_; }
  void send(cluster::Rank to, std::string body) override;
  std::optional<cluster::Envelope> receive() override;
  // Makes them answer what they were told since the last time, and show every second that they
  // live.
  void act(orchestrator::Clock::time_point now);

 private:
  void hear(cluster::Rank rank, const orchestrator::CoordinatorMessage& message);
  void answer(cluster::Rank from, const orchestrator::AgentMessage& message);
  void report_epoch(cluster::Rank from, int epoch);

  int ranks_;
  std::map<cluster::Rank, cluster::Assign> training_;
  std::set<std::string> lost_once_;
  std::deque<std::pair<cluster::Rank, std::string>> heard_;
  std::deque<cluster::Envelope> answers_;
  std::optional<orchestrator::Clock::time_point> last_heartbeat_;
};

struct InstantSweepOptions {
  int ranks = 2;
  double storage_patience = 600;
  results::Journal journal = results::Journal::rollback;
  std::chrono::milliseconds turn{1000};             // of the coordinator's clock
  std::function<void(int)> each_turn = [](int) {};  // gets its number
};

struct InstantSweepEnd {
  std::string stopped;             // why; empty: complete
  double coordinator_seconds = 0;  // of processor time, the store's included, the agents' not
};

// Runs `plan` in the database at `path` with the real store and coordinator until it is complete or
// has to stop.
InstantSweepEnd run_instant_sweep(const sweeps::Plan& plan, const std::filesystem::path& path,
                                  orchestrator::ProgressListener& listener,
                                  const InstantSweepOptions& options = {});

}  // namespace ranksweep::testing
