#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cluster/transport.h"
#include "orchestrator/clock.h"
#include "orchestrator/commit_queue.h"
#include "orchestrator/device_health.h"
#include "orchestrator/lease.h"
#include "orchestrator/ledger.h"
#include "orchestrator/messages.h"
#include "orchestrator/placement.h"
#include "orchestrator/progress_listener.h"
#include "results/sweep_store.h"
#include "sweeps/plan.h"
#include "sweeps/sweep_spec.h"

namespace ranksweep::orchestrator {

// Trials wait, and no device is left that could be trusted with one.
class NoDeviceLeft : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A trial wants more devices than any group of the ranks can have.
class TooFewDevices : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CoordinatorOptions {
  sweeps::Execution execution;
  nlohmann::json data;                      // for Assign: DataSpec, if any, and fingerprint
  std::filesystem::path checkpoint_folder;  // agents make a folder for each trial in it
  // When trainers will be told to write their states and stop, where that is known.
  std::optional<Clock::time_point> deadline;
  std::optional<sweeps::ExternalTrainer> trainer;  // in place of the built-in one
};

// Decides what every rank does, and makes it durable first: messages come in by receive(), and
// flush() commits what they changed in one transaction before it sends what they cause. So an
// attempt is written before it is dispatched and a trial's last epoch before it is acknowledged,
// whatever the order of the code in between. While the store is unavailable, trainers go on up to
// the end of their trial (docs/decisions/0004-training-goes-on-without-the-database.md). One
// thread; owns nothing but the ledger and what waits for a commit.
class Coordinator {
 public:
  // The plan, transport, store and listener must outlive it. The first flush() commits the end of
  // attempts that an earlier coordinator left open.
  Coordinator(const sweeps::Plan& plan, CoordinatorOptions options, cluster::Transport& transport,
              results::SweepStore& store, ProgressListener& listener);

  void receive(cluster::Rank from, const AgentMessage& message, Clock::time_point now);
  // Waits for a store that is unavailable for `execution.storage_patience`, or for no longer than
  // seconds once interrupted. Then, or when a trainer's own place cannot be written, asks all
  // trainers to write their states and stop, and throws results::StoreUnavailable when they have.
  // Throws NoDeviceLeft when every rank was quarantined or given up, or those that are left are too
  // few for the trials that wait; TooFewDevices, before it hands out anything, when they always
  // were.
  void flush(Clock::time_point now);
  // Hands out nothing more and asks every trainer to write its state and stop.
  void interrupt(const std::string& reason);

  // While set, ranks wait for more when all trials have ended, so that MPI does not wait for this
  // one to end.
  void keep_ranks(bool keep) { keeps_ranks_ = keep; }

  // Every rank has been told to leave, or was given up.
  bool done() const;
  bool interrupted() const { return interrupted_; }
  // Ranks that were given up and did not come back.
  int ranks_lost() const;
  const Ledger& ledger() const { return ledger_; }

 private:
  struct KeptGroup {
    sweeps::AttemptId made_for = 0;
    std::vector<cluster::Rank> ranks;  // the leader first
    bool operator==(const KeptGroup&) const = default;
  };
  struct AgentState {
    Placement placement;
    cluster::Gpu gpu;  // of its device
    std::optional<sweeps::AttemptId> attempt;
    std::vector<cluster::Rank> group;  // that was given the attempt, the leader first
    bool leads = true;                 // the group that trains the attempt, be it a group of one
    // That its trainer has been a member of last, and still is.
    std::optional<KeptGroup> kept_group;
    std::optional<Clock::time_point> attempt_over_since;  // while it has not yet said so itself
    Lease lease;
    bool joined = false;      // has said hello, since the start or since it was given up
    bool given_up = false;    // its lease ran out; nothing it says counts before a new hello
    bool abandoning = false;  // its reports count no more, AttemptBroken is awaited
    Lease trainer;            // renewed by what its trainer says in an attempt
    std::optional<double> longest_epoch;  // of the attempt, in seconds
    DeviceHealth health;
    Clock::time_point last_heard;               // of the attempt
    std::optional<Clock::time_point> assigned;  // the attempt, until its first step
    std::optional<Clock::time_point> free_at;   // expected; none: not known
    std::string idle_for;                       // the reason, while it has nothing to do
    bool dismissed = false;
  };

  // What a turn has to give away.
  struct Vacancies {
    FreeRanks free;
    FreeRanks alone;   // those of them that a trial for one device may yet be found for
    Reservation kept;  // for the group that waits
    std::function<double(const std::string& host)> free_in;

    void take(cluster::Rank rank) {
      free.take(rank);
      alone.take(rank);
    }
  };

  void handle(cluster::Rank from, const Hello& hello);
  void handle(cluster::Rank from, const cluster::Report& report);
  void handle(cluster::Rank from, const AttemptBroken& broken);
  void handle(cluster::Rank from, const Heartbeat& heartbeat);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Skipped& skipped);
  void handle(cluster::Rank from, std::size_t trial, const cluster::GroupToken& token);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Started& started);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Progress& progress);
  void handle(cluster::Rank from, std::size_t trial, const cluster::EpochDone& epoch);
  void handle(cluster::Rank from, std::size_t trial, const cluster::BasePasses& passes);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Predicted& predicted);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Finished& finished);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Diverged& diverged);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Failed& failed);
  void handle(cluster::Rank from, std::size_t trial, const cluster::Stopped& stopped);

  // The trial that `attempt` trains on `from`. Nothing for a late message: the attempt is over, or
  // was abandoned.
  std::optional<std::size_t> current_trial(cluster::Rank from, sweeps::AttemptId attempt) const;
  bool anything_runs() const;

  // How attempts end: orchestrator/coordinator_endings.cc.
  void end_attempt(cluster::Rank from, sweeps::AttemptId attempt, Ending ending);
  // The same for one that may be over already, when another member was the first to say so. The
  // rank is free then, in any case.
  void leave_attempt(cluster::Rank from, const Ending& ending);
  // Has the trainer killed, and its attempt called lost.
  void abandon(cluster::Rank from, const std::string& cause, const std::string& message);
  // Of the group that was given `agent` its last attempt, who still train `attempt`.
  std::vector<cluster::Rank> members(const AgentState& agent, sweeps::AttemptId attempt) const;
  void give_up_silent_ranks(Clock::time_point now);
  void abandon_silent_trainers(Clock::time_point now);
  void quarantine(cluster::Rank rank, const Ending& last);
  void stop_without_devices() const;
  // In how many parts the trial's batches are to be computed, one after the other.
  int batch_parts(std::size_t trial) const;

  // Trials on several devices: orchestrator/coordinator_groups.cc.
  // The group for `attempt`: the one that all of `ranks` still are, or else a new one.
  KeptGroup group_of(const std::vector<cluster::Rank>& ranks, sweeps::AttemptId attempt) const;
  bool is_free(const AgentState& agent) const;
  std::vector<RankPlace> places(bool (Coordinator::*wanted)(const AgentState&) const,
                                Clock::time_point now) const;
  bool can_train(const AgentState& agent) const;
  int devices_of(std::size_t trial) const { return ledger_.record(trial).planned->spec.devices; }
  // Starts the longest trial for so many devices. If they are not free, and none such runs that
  // would free them at once, they are kept for it from now on.
  bool start_group(int devices, Vacancies& vacancies, Clock::time_point now);
  // What any member says shows that its group lives: the leader may be waiting for it.
  void renew_leader(const AgentState& member, Clock::time_point now);
  bool all_heard() const;
  void check_that_plan_fits(Clock::time_point now);
  void stop_without_room(Clock::time_point now) const;
  void free_late_members(Clock::time_point now);

  // Who is given what to train: orchestrator/coordinator_dispatch.cc.
  void give_work(Clock::time_point now);
  // Returns what is kept for a group that has to wait.
  Reservation hand_out(Clock::time_point now);
  // In how many seconds the first of a host is expected to be free; infinity: not known.
  std::function<double(const std::string& host)> hosts_free_in(Clock::time_point now) const;
  // Starts the longest trial for one device that any of the free ranks may be given.
  bool start_alone(Vacancies& vacancies, Clock::time_point now);
  // Gives ranks that are kept for a group what will be over before the group can start.
  void backfill(const Vacancies& vacancies, Clock::time_point now);
  // At most `seconds` long.
  std::optional<std::size_t> trial_for(
      cluster::Rank rank, const Vacancies& vacancies,
      double seconds = std::numeric_limits<double>::infinity()) const;
  // Whether a rank but `rank` could be given the trial, now or later.
  bool another_takes(std::size_t trial, cluster::Rank rank) const;
  // Remembers, for each rank that has nothing to do, since when and why.
  void note_idle(const Reservation& kept, Clock::time_point now);
  // Why none of them is given anything; empty: some may be.
  std::string why_all_idle(Clock::time_point now) const;
  // Has the queue know when none is left on the host of `rank` that can train.
  void leave_host_of(cluster::Rank rank);
  // Whether a trial that started now would have nothing to show at the deadline. Never in the first
  // half of the time, or a short limit would be spent on nothing at all.
  bool too_late(Clock::time_point now) const;
  void leave_when_too_late(Clock::time_point now);
  // The leader first.
  void assign(const std::vector<cluster::Rank>& ranks, std::size_t trial, Clock::time_point now);

  // The sweep cannot go on without the database or a trainer's place to write to.
  void give_up_on_storage(Clock::time_point now);
  void watch_storage(Clock::time_point now);
  void post(cluster::Rank to, const CoordinatorMessage& message);
  void note(std::string kind, cluster::Rank rank, std::string message);

  CoordinatorOptions options_;
  cluster::Transport& transport_;
  ProgressListener& listener_;
  Ledger ledger_;
  sweeps::AttemptId next_attempt_;
  int most_devices_wanted_ = 1;  // by one trial of the plan
  bool plan_fits_ = false;       // known once all ranks have joined
  std::map<cluster::Rank, AgentState> agents_;
  CommitQueue queue_;
  std::optional<Clock::time_point> begun_;      // the first flush
  std::optional<Clock::time_point> last_look_;  // for silence
  Clock::duration longest_start_{0};            // of an attempt, up to its first step
  std::string storage_failure_;                 // what to tell the user; empty: none
  std::optional<Clock::time_point> leave_by_;   // after a storage failure
  std::string last_quarantine_;                 // for people; empty: none
  bool interrupted_ = false;
  bool keeps_ranks_ = false;
};

}  // namespace ranksweep::orchestrator
