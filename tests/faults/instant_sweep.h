#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "orchestrator/coordinator.h"
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
  // Shows every second that they live.
  void send_heartbeats();

 private:
  void answer(cluster::Rank from, const orchestrator::AgentMessage& message);
  void report_epoch(cluster::Rank from, int epoch);

  int ranks_;
  std::map<cluster::Rank, cluster::Assign> training_;
  std::set<std::string> lost_once_;
  std::deque<cluster::Envelope> answers_;
};

// Runs `plan` in the database at `path` with the real store and coordinator, a second of its clock
// a turn, until it is complete or has to stop: then returns why. `each_turn` gets its number.
std::string run_instant_sweep(
    const sweeps::Plan& plan, const std::filesystem::path& path, double storage_patience,
    orchestrator::ProgressListener& listener,
    const std::function<void(int)>& each_turn = [](int) {}, int ranks = 2);

}  // namespace ranksweep::testing
