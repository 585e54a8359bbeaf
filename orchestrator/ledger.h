#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/trainer_protocol.h"
#include "cluster/transport.h"
#include "orchestrator/trial_queue.h"
#include "orchestrator/trial_states.h"
#include "results/sweep_store.h"
#include "sweeps/plan.h"
#include "sweeps/trial_history.h"

namespace ranksweep::orchestrator {

// Who trains an attempt, and on what.
struct Placement {
  cluster::Rank rank = 0;
  std::string host;
  std::string device;
  int threads = 1;
};

// Why an attempt is over.
struct Ending {
  sweeps::AttemptOutcome outcome = sweeps::AttemptOutcome::lost;
  std::string cause;
  std::string message;
  std::string output_tail;
};

struct TrialRecord {
  const sweeps::PlannedTrial* planned = nullptr;
  sweeps::TrialState state = sweeps::TrialState::pending;
  int failed_attempts = 0;                   // failed or lost
  int out_of_memory = 0;                     // of the attempts that failed
  std::optional<sweeps::AttemptId> attempt;  // while it runs
  std::vector<sweeps::EpochMetrics> epochs;  // in order, from 1, without gaps; see forget_epochs
  std::int64_t parameters = 0;               // of the network; 0 until a trainer has told
};

struct TrialCounts {
  int pending = 0;
  int running = 0;
  int finished = 0;
  int diverged = 0;
  int failed = 0;

  int total() const { return pending + running + finished + diverged + failed; }
  int ended() const { return finished + diverged + failed; }
};

// The state of every trial of a sweep, and those that wait. Pure: no clock, no disk, no network.
// Each method that changes something returns the change for the store; an illegal one throws
// std::logic_error and changes nothing.
class Ledger {
 public:
  // `stored` has the trials of `plan`, in its order. The plan must outlive the ledger.
  Ledger(const sweeps::Plan& plan, const std::vector<results::StoredTrial>& stored,
         int max_attempts);

  // Ends the attempts that a coordinator began and, killed, never ended. Once, first.
  std::vector<results::Change> recover();

  // Those that may be started. Trials are indices into the plan.
  const TrialQueue& waiting() const { return waiting_; }
  // No trainer is left there.
  void lose_host(const std::string& host) { waiting_.lose_host(host); }
  // The trial of an attempt that runs. Nothing for one that is over, or was never begun.
  std::optional<std::size_t> trial_of(sweeps::AttemptId attempt) const;
  const TrialRecord& record(std::size_t trial) const { return records_.at(trial); }
  std::size_t size() const { return records_.size(); }
  const TrialCounts& counts() const { return counts_; }
  // Expected work of all trials, in the unit of the plan's costs, and how much of it is done or, by
  // an early end, needs no doing.
  double work() const { return work_; }
  double work_done() const { return work_done_; }
  // Whether every trial has ended: none waits, none runs.
  bool complete() const { return waiting_.empty() && running_.empty(); }
  // Whether the trial goes on after the epochs it has.
  cluster::Decision decision(std::size_t trial) const { return decision(records_.at(trial)); }

  results::Change start(std::size_t trial, sweeps::AttemptId attempt, const Placement& placement);
  // The attempt goes on after epoch `last_kept`. Nothing to remember when no epoch is dropped.
  std::optional<results::Change> rewind(sweeps::AttemptId attempt, int last_kept);
  void set_parameters(sweeps::AttemptId attempt, std::int64_t parameters);
  // Throws std::invalid_argument unless the epoch is the one after the last.
  results::Change add_epoch(sweeps::AttemptId attempt, const sweeps::EpochMetrics& metrics,
                            std::map<std::string, double> own_metrics = {});
  // Throws std::invalid_argument unless the trial is complete and these are of the validation
  // images at its best epoch.
  results::Change keep_predictions(std::size_t trial, int epoch,
                                   const sweeps::Predictions& predictions) const;
  results::Change end(sweeps::AttemptId attempt, const Ending& ending);
  // Frees the epochs of a trial that has ended for good, so that memory does not grow with the
  // trials that are done. Nothing for others.
  void forget_epochs(std::size_t trial);
  // An attempt that ended as failed or lost counts no more. A trial that was given up waits again.
  results::Change excuse(std::size_t trial, sweeps::AttemptId attempt);

 private:
  cluster::Decision decision(const TrialRecord& record) const;
  TrialRecord& running(sweeps::AttemptId attempt);
  results::Change end_of(TrialRecord& record, sweeps::AttemptId attempt, const Ending& ending);
  void apply(TrialRecord& record, TrialEvent event);
  // Changes a record, and the sums over all records with it.
  void change(TrialRecord& record, const std::function<void()>& mutate);
  void count(const TrialRecord& record, int sign);
  void wait(const TrialRecord& record);
  std::size_t index_of(const TrialRecord& record) const;

  int max_attempts_;
  std::vector<TrialRecord> records_;
  TrialQueue waiting_;
  std::map<sweeps::AttemptId, std::size_t> running_;
  std::vector<std::size_t> cut_off_;  // trials for recover()
  TrialCounts counts_;
  double work_ = 0;
  double work_done_ = 0;
};

}  // namespace ranksweep::orchestrator
