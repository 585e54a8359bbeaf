// How attempts end, and what becomes of their trials and devices then.

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/coordinator.h"
#include "orchestrator/silence_limit.h"

namespace ranksweep::orchestrator {

using sweeps::AttemptOutcome;

void Coordinator::end_attempt(cluster::Rank from, sweeps::AttemptId attempt, Ending ending) {
  const std::size_t trial = ledger_.trial_of(attempt).value();
  if (ending.cause == kStorage) {
    // Any trial would fail so: no fault of this one, and no reason to go through all of them.
    ending.outcome = AttemptOutcome::interrupted;
    if (storage_failure_.empty()) {
      storage_failure_ =
          fmt::format("rank {} on {}: {}", from, agents_.at(from).placement.host, ending.message);
    }
  }
  const int parts = batch_parts(trial);
  queue_.remember(ledger_.end(attempt, ending));
  const bool gets_more_parts = batch_parts(trial) > parts;
  AgentState& agent = agents_.at(from);
  agent.attempt.reset();
  agent.abandoning = false;
  cluster::Rank leader = from;
  const bool all_end_well = ending.outcome == AttemptOutcome::finished ||
                            ending.outcome == AttemptOutcome::diverged || ending.cause == kStopped;
  if (!all_end_well) agent.kept_group.reset();
  for (const cluster::Rank rank : members(agent, attempt)) {
    const AgentState& other = agents_.at(rank);
    if (other.leads) leader = rank;
    // Members wait for one another, and would wait for this one.
    if (!all_end_well && !other.abandoning) {
      abandon(rank, ending.cause, fmt::format("rank {}: {}", from, ending.message));
    }
  }
  queue_.announce([=, this] {
    listener_.attempt_ended(leader, ledger_.record(trial), ending);
    ledger_.forget_epochs(trial);
  });
  if (gets_more_parts) {
    note(sweeps::kOutOfMemory, from,
         fmt::format("trial {} found too little memory; its batches are now computed in {} parts, "
                     "one after the other",
                     ledger_.record(trial).planned->id.short_hex(), batch_parts(trial)));
  } else if (ending.outcome == AttemptOutcome::failed || ending.outcome == AttemptOutcome::lost) {
    agent.health.broke(trial, attempt);
    if (agent.health.quarantined()) {
      quarantine(from, ending);
    }
  }
}

int Coordinator::batch_parts(std::size_t trial) const {
  if (options_.execution.on_out_of_memory == sweeps::Execution::OnOutOfMemory::fail) return 1;
  const TrialRecord& record = ledger_.record(trial);
  const sweeps::TrialSpec& spec = record.planned->spec;
  const int most = std::max(1, spec.batch_size / (spec.devices * sweeps::kFewestImages));
  int parts = 1;
  for (int i = 0; i < record.out_of_memory && parts < most; ++i) parts = std::min(2 * parts, most);
  return parts;
}

void Coordinator::leave_attempt(cluster::Rank from, const Ending& ending) {
  AgentState& agent = agents_.at(from);
  const sweeps::AttemptId attempt = agent.attempt.value();
  if (ledger_.trial_of(attempt)) {
    end_attempt(from, attempt, ending);
  }
  agent.attempt.reset();
  agent.abandoning = false;
  agent.kept_group.reset();
}

void Coordinator::abandon(cluster::Rank from, const std::string& cause,
                          const std::string& message) {
  AgentState& agent = agents_.at(from);
  agent.abandoning = true;
  post(from, Abandon{.attempt = agent.attempt.value(), .cause = cause, .message = message});
}

std::vector<cluster::Rank> Coordinator::members(const AgentState& agent,
                                                sweeps::AttemptId attempt) const {
  std::vector<cluster::Rank> ranks;
  for (const cluster::Rank rank : agent.group) {
    if (agents_.at(rank).attempt == attempt) ranks.push_back(rank);
  }
  return ranks;
}

void Coordinator::give_up_silent_ranks(Clock::time_point now) {
  for (auto& [rank, agent] : agents_) {
    if (agent.dismissed || agent.given_up || !agent.lease.expired(now)) {
      continue;
    }
    const std::string message =
        fmt::format("rank {} was not heard of for {} s", rank, options_.execution.lease);
    note("rank lost", rank, message);
    if (agent.attempt) {
      leave_attempt(rank,
                    {.outcome = AttemptOutcome::lost, .cause = "rank lost", .message = message});
    }
    agent.joined = false;
    agent.given_up = true;
    leave_host_of(rank);
  }
}

void Coordinator::abandon_silent_trainers(Clock::time_point now) {
  const std::set<cluster::Rank> awaiting = queue_.recipients();
  for (auto& [rank, agent] : agents_) {
    if (!agent.attempt || !agent.leads || awaiting.contains(rank)) {
      agent.trainer.renew(now);  // it waits for us
    } else if (agent.trainer.expired(now) && !agent.abandoning) {
      abandon(rank, "no progress",
              fmt::format("the trainer said nothing for {} s", agent.trainer.length().count()));
    }
  }
}

void Coordinator::quarantine(cluster::Rank rank, const Ending& last) {
  const AgentState& agent = agents_.at(rank);
  const std::string message = fmt::format(
      "{} on {} is quarantined: three different trials in a row broke there, the last of them by "
      "{}{}{}; they count against none of them",
      agent.placement.device, agent.placement.host, last.cause, last.message.empty() ? "" : ": ",
      last.message);
  note("quarantined", rank, message);
  for (const DeviceHealth::BrokenAttempt& broken : agent.health.broken()) {
    queue_.remember(ledger_.excuse(broken.trial, broken.attempt));
  }
  leave_host_of(rank);
  last_quarantine_ = fmt::format("rank {}: {}", rank, message);
  queue_.announce([=, this] { listener_.rank_quarantined(rank, message); });
}

void Coordinator::stop_without_devices() const {
  const bool any_left = std::ranges::any_of(agents_, [](const auto& entry) {
    const AgentState& agent = entry.second;
    return agent.attempt || agent.dismissed || !(agent.given_up || agent.health.quarantined());
  });
  if (!any_left && !last_quarantine_.empty() && !interrupted_ && !ledger_.complete() &&
      queue_.empty()) {
    throw NoDeviceLeft(
        fmt::format("no device is left to train on; the last: {}\nWhat was "
                    "committed is safe. `ranksweep status` shows the causes; mend "
                    "them and run the same command again to go on.",
                    last_quarantine_));
  }
}

}  // namespace ranksweep::orchestrator
