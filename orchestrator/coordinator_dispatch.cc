// Who is given what to train, and who is given nothing.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "orchestrator/coordinator.h"
#include "orchestrator/silence_limit.h"

namespace ranksweep::orchestrator {
namespace {

// An estimate may be anything, and a clock's ticks overflow.
Clock::duration at_most_a_year(double seconds) {
  constexpr double kYear = 365.0 * 24 * 3600;
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(seconds, kYear)));
}

}  // namespace

void Coordinator::give_work(Clock::time_point now) {
  const Reservation kept = hand_out(now);
  if (!storage_failure_.empty()) {
    return;
  }
  // A trial that runs may still break and want a rank again, so nobody leaves before the last ends.
  const bool nothing_left = ledger_.complete() && !keeps_ranks_;
  if (interrupted_ || nothing_left) {
    for (auto& [rank, agent] : agents_) {
      if (!is_free(agent)) continue;
      agent.dismissed = true;
      post(rank, Shutdown{.ranks_lost = ranks_lost() > 0});
    }
  }
  note_idle(kept, now);
}

Reservation Coordinator::hand_out(Clock::time_point now) {
  if (interrupted_ || ledger_.waiting().empty() || too_late(now) ||
      (most_devices_wanted_ > 1 && !all_heard())) {
    return {};
  }
  const FreeRanks free(places(&Coordinator::is_free, now));
  Vacancies vacancies{.free = free, .alone = free, .kept = {}, .free_in = hosts_free_in(now)};
  const auto start_one = [&] {
    return std::ranges::any_of(ledger_.waiting().widths(), [&](int devices) {
      return devices == 1 ? start_alone(vacancies, now) : start_group(devices, vacancies, now);
    });
  };
  while (!vacancies.free.empty() && storage_failure_.empty() && start_one()) {
  }
  backfill(vacancies, now);
  return vacancies.kept;
}

bool Coordinator::start_alone(Vacancies& vacancies, Clock::time_point now) {
  FreeRanks& alone = vacancies.alone;
  while (!alone.empty()) {
    // Whole hosts stay free for groups.
    const cluster::Rank rank = most_devices_wanted_ > 1 ? alone.choose(1).front() : alone.first();
    if (const auto trial = trial_for(rank, vacancies)) {
      assign({rank}, *trial, now);
      vacancies.take(rank);
      return true;
    }
    if (agents_.at(rank).health.broken().empty()) {
      alone.take_host_of(rank);  // nor would another one there be given any
    } else {
      alone.take(rank);
    }
  }
  return false;
}

void Coordinator::backfill(const Vacancies& vacancies, Clock::time_point now) {
  const Reservation& kept = vacancies.kept;
  if (!std::isfinite(kept.free_in_s)) {
    return;
  }
  for (const cluster::Rank rank : kept.ranks) {
    if (!is_free(agents_.at(rank)) || !storage_failure_.empty()) continue;
    if (const auto trial = trial_for(rank, vacancies, kept.free_in_s)) assign({rank}, *trial, now);
  }
}

std::function<double(const std::string& host)> Coordinator::hosts_free_in(
    Clock::time_point now) const {
  // Few turns ask, so the answers wait for the first question.
  return [this, now, hosts = std::map<std::string, double>()](const std::string& host) mutable {
    if (hosts.empty()) {
      for (const RankPlace& place : places(&Coordinator::can_train, now)) {
        const auto [found, first] = hosts.try_emplace(place.host, place.free_in_s);
        if (!first) found->second = std::min(found->second, place.free_in_s);
      }
    }
    const auto found = hosts.find(host);
    return found == hosts.end() ? std::numeric_limits<double>::infinity() : found->second;
  };
}

void Coordinator::note_idle(const Reservation& kept, Clock::time_point now) {
  const std::string of_all = why_all_idle(now);
  for (auto& [rank, agent] : agents_) {
    if (!is_free(agent)) continue;
    std::string reason = agent.health.quarantined()  ? "quarantined"
                         : !of_all.empty()           ? of_all
                         : kept.ranks.contains(rank) ? "kept for a trial on several devices"
                                                     : "no trial that waits fits";
    if (agent.idle_for == reason) continue;
    note("idle", rank, reason);
    agent.idle_for = std::move(reason);
  }
}

std::string Coordinator::why_all_idle(Clock::time_point now) const {
  if (ledger_.waiting().empty()) return "no trial waits";
  if (most_devices_wanted_ > 1 && !all_heard()) return "not all ranks have joined";
  if (too_late(now)) return "too little time is left";
  return "";
}

void Coordinator::leave_host_of(cluster::Rank rank) {
  const std::string& host = agents_.at(rank).placement.host;
  if (std::ranges::none_of(agents_, [&](const auto& entry) {
        return entry.second.placement.host == host && can_train(entry.second);
      })) {
    ledger_.lose_host(host);
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

std::optional<std::size_t> Coordinator::trial_for(cluster::Rank rank, const Vacancies& vacancies,
                                                  double seconds) const {
  const AgentState& agent = agents_.at(rank);
  const Vacancy vacancy{
      .host = agent.placement.host, .seconds = seconds, .free_in = std::cref(vacancies.free_in)};
  const TrialQueue& waiting = ledger_.waiting();
  if (agent.health.broken().empty()) {
    return waiting.longest(vacancy);
  }
  const auto choose = [&](const TrialQueue::Condition& fits) {
    return agent.health.wants_smallest() ? waiting.smallest(fits) : waiting.longest(vacancy, fits);
  };
  const auto trial = choose([&](std::size_t each) { return !agent.health.avoids(each); });
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
  const std::optional<double> seconds = ledger_.waiting().expected_seconds(trial);
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
  const KeptGroup group = group_of(ranks, attempt);
  cluster::Assign order{.attempt = attempt,
                        .trial = record.planned->id,
                        .spec = sweeps::to_canonical_json(record.planned->spec),
                        .data = options_.data,
                        .directory = options_.checkpoint_folder / record.planned->id.hex(),
                        .checkpoint_interval = options_.execution.checkpoint_interval,
                        .known_epochs = static_cast<int>(record.epochs.size()),
                        .members = static_cast<int>(ranks.size()),
                        .group = group.made_for,
                        .batch_parts = batch_parts(trial),
                        .cuda_graphs = options_.execution.cuda_graphs};
  for (const cluster::Rank rank : ranks) {
    AgentState& agent = agents_.at(rank);
    agent.attempt = attempt;
    agent.group = ranks;
    agent.leads = order.member == 0;
    agent.attempt_over_since.reset();
    agent.assigned = now;
    agent.free_at.reset();
    if (seconds) agent.free_at = now + at_most_a_year(*seconds);
    agent.idle_for.clear();
    agent.longest_epoch.reset();
    agent.trainer.set_length(silence_limit(options_.execution.silence_limit, {}));
    agent.trainer.renew(now);
    order.device = agent.placement.device;
    order.threads = agent.placement.threads;
    if (order.members > 1) {
      agent.kept_group = group;
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

}  // namespace ranksweep::orchestrator
