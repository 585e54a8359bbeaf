#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cluster/transport.h"
#include "orchestrator/progress_listener.h"
#include "results/sweep_store.h"
#include "sweeps/plan.h"

namespace ranksweep::orchestrator {

// A plan of `count` trials that differ in their learning rate, 0.001, 0.002, ...
inline sweeps::Plan plan_of(int count, int epochs = 3) {
  sweeps::Plan plan{.sweep_name = "test", .data_fingerprint = "none", .swept = {"learning_rate"}};
  for (int i = 0; i < count; ++i) {
    sweeps::TrialSpec spec;
    spec.architecture = "simple_cnn";
    spec.learning_rate = 0.001 * (i + 1);
    spec.epochs = epochs;
    plan.trials.push_back(
        {.id = sweeps::TrialId(sweeps::hash_hex(std::to_string(i))), .spec = spec, .cost = 1});
  }
  return plan;
}

// A store in memory that plays the changes it is given, and can be told to fail.
class FakeStore : public results::SweepStore {
 public:
  explicit FakeStore(const sweeps::Plan& plan) {
    for (const sweeps::PlannedTrial& trial : plan.trials) {
      trials_.push_back({.id = trial.id});
    }
  }

  std::vector<results::StoredTrial> load_trials() override { return trials_; }
  sweeps::AttemptId next_attempt() override { return next_attempt_; }
  void commit(std::span<const results::Change> changes) override {
    if (damaged) {
      throw results::StoreError("the file is damaged");
    }
    if (unavailable) {
      throw results::StoreUnavailable("the disk is full");
    }
    ++commits;
    for (const results::Change& change : changes) {
      std::visit([this](const auto& content) { play(content); }, change);
      log.push_back(change);
    }
  }

  const results::StoredTrial& trial(std::size_t index) const { return trials_[index]; }

  bool unavailable = false;
  bool damaged = false;
  int commits = 0;
  std::vector<results::Change> log;
  std::vector<results::AttemptDescribed> descriptions;
  std::vector<results::MemberAssigned> members;
  std::vector<results::PredictionsKept> predictions;

 private:
  results::StoredTrial& find(const sweeps::TrialId& id) {
    for (results::StoredTrial& trial : trials_) {
      if (trial.id == id) {
        return trial;
      }
    }
    throw std::logic_error("no such trial");
  }
  void play(const results::AttemptStarted& started) {
    auto& trial = find(started.trial);
    if (trial.state != sweeps::TrialState::pending || started.attempt < next_attempt_) {
      throw std::logic_error("a trial was started twice, or an attempt number used again");
    }
    trial.state = sweeps::TrialState::running;
    trial.open_attempt = started.attempt;
    next_attempt_ = started.attempt + 1;
  }
  void play(const results::MemberAssigned& member) { members.push_back(member); }
  void play(const results::AttemptDescribed& described) { descriptions.push_back(described); }
  void play(const results::EpochRecorded& epoch) {
    find(epoch.trial).epochs.push_back(epoch.metrics);
  }
  void play(const results::EpochsDiscarded& discarded) {
    find(discarded.trial).epochs.resize(static_cast<std::size_t>(discarded.last_kept));
  }
  void play(const results::AttemptEnded& ended) {
    auto& trial = find(ended.trial);
    if (trial.open_attempt != ended.attempt) {
      throw std::logic_error("an attempt ended that does not run");
    }
    trial.open_attempt.reset();
    trial.state = ended.trial_state;
    trial.failed_attempts += ended.outcome == sweeps::AttemptOutcome::failed ||
                                     ended.outcome == sweeps::AttemptOutcome::lost
                                 ? 1
                                 : 0;
    trial.out_of_memory += ended.cause == sweeps::kOutOfMemory ? 1 : 0;
  }
  void play(const results::AttemptExcused& excused) {
    auto& trial = find(excused.trial);
    --trial.failed_attempts;
    trial.state = excused.trial_state;
  }
  void play(const results::PredictionsKept& kept) { predictions.push_back(kept); }
  void play(const results::TestEvaluated&) {}
  void play(const results::StepMeasured&) {}
  void play(const results::FileSkipped&) {}
  void play(const results::EventNoted&) {}

  std::vector<results::StoredTrial> trials_;
  sweeps::AttemptId next_attempt_ = 1;
};

// Keeps what the coordinator sends.
class FakeTransport : public cluster::Transport {
 public:
  explicit FakeTransport(int size) : size_(size) {}
  cluster::Rank rank() const override { return 0; }
  int size() const override { return size_; }
  void send(cluster::Rank to, std::string body) override { sent.emplace_back(to, std::move(body)); }
  std::optional<cluster::Envelope> receive() override { return std::nullopt; }

  std::vector<std::pair<cluster::Rank, std::string>> sent;

 private:
  int size_;
};

class SilentListener : public ProgressListener {
 public:
  void rank_joined(cluster::Rank, const Placement&) override {}
  void attempt_started(cluster::Rank, const TrialRecord&, int) override {}
  void progressed(cluster::Rank, const TrialRecord&, const cluster::Progress&) override {}
  void base_ran(const cluster::BasePasses& passes) override { passes_used += passes.used; }
  void epoch_done(cluster::Rank, const TrialRecord&) override {}
  void attempt_ended(cluster::Rank, const TrialRecord&, const Ending&) override {}
  void rank_quarantined(cluster::Rank rank, const std::string&) override {
    quarantined.push_back(rank);
  }
  void storage_troubled(const std::string& problem) override { troubles.push_back(problem); }
  void storage_recovered() override { troubles.push_back("over"); }

  std::vector<std::string> troubles;
  int passes_used = 0;
  std::vector<cluster::Rank> quarantined;
};

}  // namespace ranksweep::orchestrator
