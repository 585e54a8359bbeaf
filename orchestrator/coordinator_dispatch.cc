// Who is given what to train, and who is given nothing.

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/coordinator.h"
#include "orchestrator/silence_limit.h"

namespace ranksweep::orchestrator {

void Coordinator::give_work(Clock::time_point now) {
  // A trial that runs may still break and want a rank again, so nobody leaves before the last ends.
  const bool nothing_left = ledger_.complete() && !keeps_ranks_;
  for (auto& [rank, agent] : agents_) {
    if (!is_free(agent)) {
      continue;
    }
    const std::set<cluster::Rank> reserved = start_groups(now);
    if (!is_free(agent)) {
      continue;
    }
    const auto trial = reserved.contains(rank) ? std::nullopt : trial_for(rank);
    if (!storage_failure_.empty()) {
      return;
    }
    if (!interrupted_ && trial && !too_late(now)) {
      assign({rank}, *trial, now);
    } else if (interrupted_ || nothing_left) {
      agent.dismissed = true;
      post(rank, Shutdown{.ranks_lost = ranks_lost() > 0});
    }
  }
}

bool Coordinator::too_late(Clock::time_point now) const {
  if (!options_.deadline) {
    return false;
  }
  // A trainer writes its first state after the interval by itself, or on request once it steps.
  const std::chrono::duration<double> interval(options_.execution.checkpoint_interval);
  const auto needed = std::max<std::chrono::duration<double>>(interval, longest_start_);
  const auto half = (*options_.deadline - *begun_) / 2;
  return now + std::min<std::chrono::duration<double>>(needed, half) > *options_.deadline;
}

void Coordinator::leave_when_too_late(Clock::time_point now) {
  if (!anything_runs() && !ledger_.complete() && too_late(now)) {
    interrupt("too little time is left for another trial");
  }
}

std::optional<std::size_t> Coordinator::trial_for(cluster::Rank rank) const {
  const DeviceHealth& health = agents_.at(rank).health;
  if (health.quarantined()) {
    return std::nullopt;
  }
  if (most_devices_wanted_ > 1 && !all_heard()) {
    return std::nullopt;
  }
  const auto choose = [&](const Ledger::Condition& fits) {
    const auto alone = [&](std::size_t each) { return devices_of(each) == 1 && fits(each); };
    return health.wants_smallest() ? ledger_.smallest(alone) : ledger_.next(alone);
  };
  const auto trial = choose([&](std::size_t each) { return !health.avoids(each); });
  return trial ? trial : choose([&](std::size_t each) { return !another_takes(each, rank); });
}

bool Coordinator::another_takes(std::size_t trial, cluster::Rank rank) const {
  return std::ranges::any_of(agents_, [&](const auto& entry) {
    const AgentState& other = entry.second;
    return entry.first != rank && other.joined && !other.dismissed && !other.health.quarantined() &&
           !other.health.avoids(trial);
  });
}

void Coordinator::assign(const std::vector<cluster::Rank>& ranks, std::size_t trial,
                         Clock::time_point now) {
  const sweeps::AttemptId attempt = next_attempt_++;
  for (const cluster::Rank rank : ranks) {
    Placement& placement = agents_.at(rank).placement;
    placement.threads = options_.execution.threads.value_or(placement.threads);
  }
  queue_.remember(ledger_.start(trial, attempt, agents_.at(ranks.front()).placement));
  if (ledger_.decision(trial) == cluster::Decision::stop) {
    // All epochs are known, but the trainer was lost before it said that the best weights are safe.
    // The last epoch is due again, so that the next trainer hears its verdict.
    const int epochs = static_cast<int>(ledger_.record(trial).epochs.size());
    queue_.remember(ledger_.rewind(attempt, epochs - 1).value());
  }

  const TrialRecord& record = ledger_.record(trial);
  cluster::Assign order{.attempt = attempt,
                        .trial = record.planned->id,
                        .spec = sweeps::to_canonical_json(record.planned->spec),
                        .data = options_.data,
                        .directory = options_.checkpoint_folder / record.planned->id.hex(),
                        .checkpoint_interval = options_.execution.checkpoint_interval,
                        .known_epochs = static_cast<int>(record.epochs.size()),
                        .members = static_cast<int>(ranks.size())};
  for (const cluster::Rank rank : ranks) {
    AgentState& agent = agents_.at(rank);
    agent.attempt = attempt;
    agent.group = ranks;
    agent.leads = order.member == 0;
    agent.attempt_over_since.reset();
    agent.assigned = now;
    agent.longest_epoch.reset();
    agent.trainer.set_length(silence_limit(options_.execution.silence_limit, {}));
    agent.trainer.renew(now);
    order.device = agent.placement.device;
    order.threads = agent.placement.threads;
    if (order.members > 1) {
      queue_.remember(results::MemberAssigned{.attempt = attempt,
                                              .member = order.member,
                                              .rank = rank,
                                              .host = agent.placement.host,
                                              .device = order.device});
    }
    post(rank, cluster::Command(order));
    ++order.member;
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
