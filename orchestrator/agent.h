#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/trainer_process.h"
#include "cluster/transport.h"
#include "orchestrator/clock.h"
#include "orchestrator/lease.h"
#include "orchestrator/messages.h"

namespace ranksweep::orchestrator {

struct AgentOptions {
  std::vector<std::string> trainer_command;         // until the coordinator names another
  Hello hello;                                      // what this rank offers
  std::chrono::duration<double> shutdown_grace{2};  // for a trainer to exit by itself
};

// Supervises the trainer of one rank: starts it, passes messages on, and turns its death, its
// silence and its nonsense into an AttemptBroken. A trainer lives on from trial to trial, also
// after an error that it reported itself; a dead, silent or senseless one is replaced for the next
// attempt. Sends a heartbeat each second, and kills its trainer when the coordinator
// has been silent for its lease. One thread; nothing here blocks.
class Agent {
 public:
  // The transport must outlive it. Says hello to the coordinator.
  Agent(AgentOptions options, cluster::Transport& transport);

  void receive(const CoordinatorMessage& message, Clock::time_point now);
  // Passes on what the trainer says and notices what became of it. Returns whether it said
  // anything.
  bool step(Clock::time_point now);
  // Told to leave, and its trainer is gone.
  bool done() const { return leaving_ && trainer_ == nullptr; }
  // The coordinator's lease ran out; the trainer is gone. Leave without a word to MPI.
  bool coordinator_lost() const { return coordinator_lost_; }
  // Some rank will not come to MPI_Finalize.
  bool ranks_lost() const { return ranks_lost_; }
  // How long ranks wait for one another, as the coordinator told.
  std::chrono::duration<double> lease() const {
    return coordinator_lease_ ? coordinator_lease_->length() : std::chrono::seconds(30);
  }
  // For a rank that leaves at once.
  void kill_trainer() { trainer_.reset(); }
  std::vector<pollfd> poll_set() const;

 private:
  void handle(const cluster::Command& command, Clock::time_point now);
  void handle(const Abandon& abandon, Clock::time_point now);
  void handle(const Shutdown& shutdown, Clock::time_point now);
  void handle(const LeaseRenewed& renewed, Clock::time_point now);
  void handle(const Rejoin& rejoin, Clock::time_point now);
  void handle(const UseTrainer& use, Clock::time_point now);
  void keep_leases(Clock::time_point now);
  // For the attempt's checkpoints. Where that cannot be, the attempt is over.
  bool make_folder(const std::filesystem::path& folder);
  void start_trainer_if_needed();
  void pass_on(const cluster::Report& report);
  // The trainer is gone or must go; the attempt it trained, if any, is over.
  void drop_trainer(const std::string& cause, const std::string& message);
  void report_broken(sweeps::AttemptId attempt, sweeps::AttemptOutcome outcome,
                     const std::string& cause, const std::string& message);
  void send(const AgentMessage& message);

  AgentOptions options_;
  cluster::Transport& transport_;
  std::filesystem::path trainer_folder_;  // where it is started; empty: here
  std::unique_ptr<cluster::TrainerProcess> trainer_;
  bool trainer_is_ready_ = false;  // it has said so
  std::optional<sweeps::AttemptId> attempt_;
  bool leaving_ = false;
  Clock::time_point leave_by_;
  Clock::time_point last_heartbeat_;
  std::optional<Lease> coordinator_lease_;  // none until it first answers: reading data takes time
  bool coordinator_lost_ = false;
  bool ranks_lost_ = false;
};

}  // namespace ranksweep::orchestrator
