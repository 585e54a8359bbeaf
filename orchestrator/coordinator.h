#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cluster/transport.h"
#include "orchestrator/clock.h"
#include "orchestrator/ledger.h"
#include "orchestrator/messages.h"
#include "orchestrator/progress_listener.h"
#include "results/sweep_store.h"
#include "sweeps/plan.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::orchestrator {

struct CoordinatorOptions {
  sweeps::Execution execution;
  nlohmann::json data;                      // for Assign: DataSpec and fingerprint
  std::filesystem::path checkpoint_folder;  // one folder a trial is made in it
};

// Decides what every rank does, and makes it durable first: messages come in by receive(), and
// flush() commits what they changed in one transaction before it sends what they cause. So an
// attempt is written before it is dispatched and an epoch before it is acknowledged, whatever the
// order of the code in between. One thread; owns nothing but the ledger.
class Coordinator {
 public:
  // The plan, transport, store and listener must outlive it. Commits the end of attempts that an
  // earlier coordinator left open.
  Coordinator(const sweeps::Plan& plan, CoordinatorOptions options, cluster::Transport& transport,
              results::SweepStore& store, ProgressListener& listener);

  void receive(cluster::Rank from, const AgentMessage& message, Clock::time_point now);
  // Throws results::StoreError; then nothing was sent, and nothing that was promised is lost.
  void flush(Clock::time_point now);
  // Hands out nothing more and asks every trainer to write its state and stop.
  void interrupt(const std::string& reason);

  // Every rank has been told to leave.
  bool done() const;
  bool interrupted() const { return interrupted_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  struct AgentState {
    Placement placement;
    std::optional<sweeps::AttemptId> attempt;
    bool abandoning = false;       // its reports count no more, AttemptBroken is awaited
    Clock::time_point last_heard;  // of the attempt
    bool dismissed = false;
  };

  void handle(cluster::Rank from, const Hello& hello);
  void handle(cluster::Rank from, const cluster::Report& report);
  void handle(cluster::Rank from, const AttemptBroken& broken);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Started& started);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Progress& progress);
  void handle(cluster::Rank from, std::size_t trial, const cluster::EpochDone& epoch);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Finished& finished);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Diverged& diverged);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Failed& failed);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Stopped& stopped);

  // The trial that `attempt` trains on `from`. Nothing for a late message: the attempt is over, or
  // was abandoned.
  std::optional<std::size_t> current_trial(cluster::Rank from, sweeps::AttemptId attempt) const;
  void end_attempt(cluster::Rank from, sweeps::AttemptId attempt, const Ending& ending);
  // Has the trainer killed, and its attempt called lost.
  void abandon(cluster::Rank from, const std::string& cause, const std::string& message);
  void abandon_silent_trainers(Clock::time_point now);
  void give_work(Clock::time_point now);
  void assign(cluster::Rank rank, AgentState& agent, std::size_t trial);
  void commit_and_send();
  void post(cluster::Rank to, const CoordinatorMessage& message);
  void note(std::string kind, cluster::Rank rank, std::string message);

  CoordinatorOptions options_;
  cluster::Transport& transport_;
  results::SweepStore& store_;
  ProgressListener& listener_;
  Ledger ledger_;
  sweeps::AttemptId next_attempt_;
  std::map<cluster::Rank, AgentState> agents_;
  std::vector<results::Change> changes_;
  std::vector<std::pair<cluster::Rank, std::string>> outbox_;
  std::vector<std::function<void()>> announcements_;  // to the listener, once durable
  bool interrupted_ = false;
};

}  // namespace ranksweep::orchestrator
