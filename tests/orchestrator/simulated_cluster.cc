#include "tests/orchestrator/simulated_cluster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <queue>
#include <random>
#include <stdexcept>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "orchestrator/coordinator.h"
#include "tests/orchestrator/fakes.h"

namespace ranksweep::testing {
namespace {

using cluster::Rank;
using orchestrator::AgentMessage;
using orchestrator::Clock;

// Seconds since the sweep began.
struct VirtualTime {
  double now_s = 0;
};

// Keeps nothing but how long each rank had nothing to do, and why.
class IdleTimes : public results::SweepStore {
 public:
  IdleTimes(const sweeps::Plan& plan, const VirtualTime& time) : plan_(plan), time_(time) {}

  std::vector<results::StoredTrial> load_trials() override {
    std::vector<results::StoredTrial> trials;
    for (const sweeps::PlannedTrial& trial : plan_.trials) trials.push_back({.id = trial.id});
    return trials;
  }
  sweeps::AttemptId next_attempt() override { return 1; }
  void commit(std::span<const results::Change> changes) override {
    for (const results::Change& change : changes) {
      if (const auto* event = std::get_if<results::EventNoted>(&change)) {
        if (event->kind == "idle") begin(event->rank, event->message);
      } else if (const auto* started = std::get_if<results::AttemptStarted>(&change)) {
        end(started->rank);
      } else if (const auto* member = std::get_if<results::MemberAssigned>(&change)) {
        end(member->rank);
      }
    }
  }
  std::map<std::string, double> at_the_end() {
    while (!idle_.empty()) end(idle_.begin()->first);
    return by_reason_;
  }

 private:
  void begin(Rank rank, const std::string& reason) {
    end(rank);
    idle_[rank] = {reason, time_.now_s};
  }
  void end(Rank rank) {
    const auto found = idle_.find(rank);
    if (found == idle_.end()) return;
    by_reason_[found->second.first] += time_.now_s - found->second.second;
    idle_.erase(found);
  }

  const sweeps::Plan& plan_;
  const VirtualTime& time_;
  std::map<Rank, std::pair<std::string, double>> idle_;  // reason and since when
  std::map<std::string, double> by_reason_;
};

class SimulatedAgents : public cluster::Transport {
 public:
  SimulatedAgents(const sweeps::Plan& plan, const TrueTimes& times, const SimulatedCluster& cluster,
                  VirtualTime& time)
      : plan_(plan), times_(times), cluster_(cluster), time_(time), agents_(ranks()) {
    for (std::size_t trial = 0; trial < plan.trials.size(); ++trial) {
      trial_of_[plan.trials[trial].id.hex()] = trial;
    }
    for (Rank rank = 0; rank < cluster_.ranks; ++rank) {
      answer(0, rank,
             orchestrator::Hello{.host = host_of(rank),
                                 .device = fmt::format("cuda:{}", rank % cluster.ranks_per_host),
                                 .threads = 1});
    }
  }

  Rank rank() const override { return 0; }
  int size() const override { return cluster_.ranks; }
  void send(Rank to, std::string body) override {
    const auto message = orchestrator::decode_coordinator_message(body);
    if (const auto* command = std::get_if<cluster::Command>(&message)) {
      if (const auto* assign = std::get_if<cluster::Assign>(command)) begin(to, *assign);
      if (const auto* verdict = std::get_if<cluster::Verdict>(command)) go_on(to, *verdict);
    }
  }
  std::optional<cluster::Envelope> receive() override {
    if (answers_.empty() || answers_.top().at_s > time_.now_s) return std::nullopt;
    cluster::Envelope envelope = answers_.top().envelope;
    answers_.pop();
    return envelope;
  }
  // To the next message. Throws std::runtime_error when nobody will ever say anything.
  void advance() {
    if (answers_.empty()) throw std::runtime_error("the sweep stands still");
    time_.now_s = answers_.top().at_s;
  }
  double trained_s() const { return trained_s_; }
  double waited_for_a_base_s() const { return waited_for_a_base_s_; }
  double started_s() const { return started_s_; }

 private:
  struct Answer {
    double at_s = 0;
    std::size_t number = 0;  // those of one moment come in the order in which they were sent
    cluster::Envelope envelope;
    bool operator<(const Answer& other) const {
      return std::pair(at_s, number) > std::pair(other.at_s, other.number);
    }
  };
  struct Agent {
    cluster::Assign assign;
    std::size_t trial = 0;
    std::vector<Rank> group;  // of a leader
  };

  std::size_t ranks() const { return static_cast<std::size_t>(cluster_.ranks); }
  std::string host_of(Rank rank) const {
    return fmt::format("node-{}", rank / cluster_.ranks_per_host);
  }

  void begin(Rank rank, const cluster::Assign& assign) {
    Agent& agent = agents_[static_cast<std::size_t>(rank)];
    agent = {.assign = assign, .trial = trial_of_.at(assign.trial.hex()), .group = {rank}};
    started_s_ += cluster_.start_s;
    if (assign.member > 0) {
      agents_[static_cast<std::size_t>(leader_)].group.push_back(rank);
      return;
    }
    leader_ = rank;  // the others come next
    const double ready_s = base_ready(rank, time_.now_s + cluster_.start_s);
    answer(time_.now_s, rank,
           cluster::Report(cluster::Started{.attempt = assign.attempt, .resumed_from = 0}));
    report_epoch(rank, 1, ready_s);
  }

  // When the features of the trial's frozen base are there. Who comes first computes them.
  double base_ready(Rank rank, double begin_s) {
    const sweeps::PlannedTrial& planned =
        plan_.trials[agents_[static_cast<std::size_t>(rank)].trial];
    if (!planned.base) return begin_s;
    const double passes_s = times_.base_seconds.at(*planned.base);
    const auto [found, first] =
        ready_.try_emplace({host_of(rank), *planned.base}, begin_s + passes_s);
    if (first) {
      trained_s_ += passes_s;
    } else {
      waited_for_a_base_s_ += std::max(found->second - begin_s, 0.0);
    }
    return std::max(found->second, begin_s);
  }

  double epoch_seconds(const Agent& agent) const {
    return times_.seconds[agent.trial] / plan_.trials[agent.trial].spec.epochs;
  }
  void report_epoch(Rank rank, int epoch, double begin_s) {
    const Agent& agent = agents_[static_cast<std::size_t>(rank)];
    const double seconds = epoch_seconds(agent);
    answer(begin_s + seconds, rank,
           cluster::Report(cluster::EpochDone{
               .attempt = agent.assign.attempt,
               .metrics = {.epoch = epoch, .val_loss = 1.0 / epoch, .seconds = seconds}}));
  }
  void go_on(Rank rank, const cluster::Verdict& verdict) {
    const Agent& agent = agents_[static_cast<std::size_t>(rank)];
    if (verdict.decision == cluster::Decision::go_on) {
      report_epoch(rank, verdict.epoch + 1, time_.now_s);
      return;
    }
    trained_s_ += times_.seconds[agent.trial] * agent.assign.members;
    for (const Rank member : agent.group) {
      answer(time_.now_s, member, cluster::Report(cluster::Finished{verdict.attempt}));
    }
  }

  void answer(double at_s, Rank from, const AgentMessage& message) {
    answers_.push({.at_s = at_s,
                   .number = answers_sent_++,
                   .envelope = {.from = from, .body = orchestrator::encode(message)}});
  }

  const sweeps::Plan& plan_;
  const TrueTimes& times_;
  SimulatedCluster cluster_;
  VirtualTime& time_;
  std::vector<Agent> agents_;
  std::unordered_map<std::string, std::size_t> trial_of_;  // by identity
  std::map<std::pair<std::string, int>, double> ready_;    // features, by host and base
  std::priority_queue<Answer> answers_;
  std::size_t answers_sent_ = 0;
  Rank leader_ = 0;  // of the group that is being assigned
  double trained_s_ = 0;
  double waited_for_a_base_s_ = 0;
  double started_s_ = 0;
};

double bound_of(const sweeps::Plan& plan, const TrueTimes& times, int ranks) {
  double work = 0;
  double longest = 0;
  for (const auto& [base, seconds] : times.base_seconds) work += seconds;
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    const sweeps::PlannedTrial& trial = plan.trials[i];
    work += times.seconds[i] * trial.spec.devices;
    longest =
        std::max(longest, times.seconds[i] + (trial.base ? times.base_seconds.at(*trial.base) : 0));
  }
  return std::max(longest, work / ranks);
}

}  // namespace

SimulatedSweep simulate(const sweeps::Plan& plan, const TrueTimes& times,
                        const SimulatedCluster& cluster) {
  VirtualTime time;
  IdleTimes store(plan, time);
  SimulatedAgents agents(plan, times, cluster, time);
  orchestrator::SilentListener listener;
  orchestrator::CoordinatorOptions options;
  options.execution.lease = options.execution.silence_limit.emplace(1e9);  // nobody is ever lost
  options.checkpoint_folder =
      std::filesystem::temp_directory_path() / fmt::format("ranksweep-simulation.{}", ::getpid());
  orchestrator::Coordinator coordinator(plan, options, agents, store, listener);
  double makespan_s = 0;
  while (!coordinator.done()) {
    agents.advance();
    const Clock::time_point now(
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(time.now_s)));
    while (const auto envelope = agents.receive()) {
      coordinator.receive(envelope->from, orchestrator::decode_agent_message(envelope->body), now);
    }
    coordinator.flush(now);
    makespan_s = time.now_s;
  }
  std::filesystem::remove_all(options.checkpoint_folder);
  SimulatedSweep sweep{.makespan_s = makespan_s,
                       .bound_s = bound_of(plan, times, cluster.ranks),
                       .trained_s = agents.trained_s(),
                       .idle_s = store.at_the_end()};
  sweep.idle_s["another computes the features"] = agents.waited_for_a_base_s();
  sweep.idle_s["start of a trial"] = agents.started_s();
  return sweep;
}

MixedSweep mixed_sweep(int trials, double error, std::uint32_t seed) {
  constexpr int kArchitectures = 6;
  constexpr int kHeadsOfABase = 20;
  constexpr double kShortest = 10;  // seconds, as the plan sees them
  constexpr double kDecades = 2;
  std::mt19937 random(seed);
  // Not a distribution of the standard library, since theirs differ from library to library.
  const auto uniform = [&random](double low, double high) {
    return low + (high - low) * (static_cast<double>(random()) / 4294967296.0);
  };
  const auto wrong = [&] { return 1 + uniform(-error, error); };
  std::array<double, kArchitectures> of_architecture{};
  for (double& factor : of_architecture) factor = wrong();

  MixedSweep sweep{.plan = orchestrator::plan_of(trials, /*epochs=*/2), .times = {}};
  int base = -1;
  for (int i = 0; i < trials; ++i) {
    sweeps::PlannedTrial& trial = sweep.plan.trials[static_cast<std::size_t>(i)];
    const bool head = i < trials / 3;
    const bool first = head && i % kHeadsOfABase == 0;
    if (first || !head) base += 1;
    const int architecture = base % kArchitectures;
    const double factor = of_architecture[static_cast<std::size_t>(architecture)];
    trial.spec.architecture = fmt::format("architecture_{}", architecture);
    double seconds = kShortest * std::pow(10, uniform(0, kDecades));
    if (head) {
      seconds /= 10;
      trial.spec.training = sweeps::TrainingMode::frozen;
      trial.base = base;
      if (first) sweep.times.base_seconds[base] = kShortest * std::pow(10, uniform(0.5, 1.5));
      trial.base_cost = sweep.times.base_seconds[base];
      trial.cost = seconds + (first ? trial.base_cost : 0);
    } else {
      const double kind = uniform(0, 1);
      trial.spec.devices = kind < 0.7 ? 1 : kind < 0.85 ? 2 : kind < 0.95 ? 4 : 8;
      trial.cost = seconds * trial.spec.devices;
    }
    sweep.times.seconds.push_back(seconds * factor * wrong());
  }
  for (auto& [number, seconds] : sweep.times.base_seconds) {
    seconds *= of_architecture[static_cast<std::size_t>(number % kArchitectures)] * wrong();
  }
  return sweep;
}

}  // namespace ranksweep::testing
