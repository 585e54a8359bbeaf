// The coordinator's work on trials that several ranks train together.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "orchestrator/coordinator.h"

namespace ranksweep::orchestrator {
namespace {

// For a member to say that it knows of the good end of its attempt, before its trainer is killed.
constexpr std::chrono::seconds kTimeToHearTheEnd{5};

}  // namespace

bool Coordinator::is_free(const AgentState& agent) const {
  return agent.joined && !agent.attempt && !agent.dismissed;
}

bool Coordinator::can_train(const AgentState& agent) const {
  return agent.joined && !agent.dismissed && !agent.health.quarantined();
}

std::vector<RankPlace> Coordinator::places(bool (Coordinator::*wanted)(const AgentState&) const,
                                           Clock::time_point now) const {
  const auto free_in_s = [&](const AgentState& agent) {
    if (!agent.attempt) return 0.0;
    if (!agent.free_at) return std::numeric_limits<double>::infinity();  // not known
    return std::max(std::chrono::duration<double>(*agent.free_at - now).count(), 0.0);
  };
  std::vector<RankPlace> found;
  for (const auto& [rank, agent] : agents_) {
    if ((this->*wanted)(agent) && can_train(agent)) {
      found.push_back({.rank = rank,
                       .host = agent.placement.host,
                       .device = agent.placement.device,
                       .free_in_s = free_in_s(agent),
                       .gpu = agent.gpu.name.empty() ? nullptr : &agent.gpu});
    }
  }
  return found;
}

void Coordinator::renew_leader(const AgentState& member, Clock::time_point now) {
  if (member.leads || !member.attempt) {
    return;
  }
  AgentState& leader = agents_.at(member.group.front());
  if (leader.attempt == member.attempt) leader.trainer.renew(now);
}

bool Coordinator::all_heard() const {
  return std::ranges::all_of(
      agents_, [](const auto& entry) { return entry.second.joined || entry.second.given_up; });
}

Coordinator::KeptGroup Coordinator::group_of(const std::vector<cluster::Rank>& ranks,
                                             sweeps::AttemptId attempt) const {
  const std::optional<KeptGroup>& kept = agents_.at(ranks.front()).kept_group;
  const bool all_have_it =
      kept && kept->ranks == ranks && std::ranges::all_of(ranks, [&](cluster::Rank rank) {
        return agents_.at(rank).kept_group == kept;
      });
  return all_have_it ? *kept : KeptGroup{.made_for = attempt, .ranks = ranks};
}

bool Coordinator::start_group(int devices, Vacancies& vacancies, Clock::time_point now) {
  const std::vector<cluster::Rank> ranks = vacancies.free.choose(devices);
  if (ranks.empty()) {
    if (vacancies.kept.ranks.empty() && !ledger_.waiting().any_runs(devices)) {
      vacancies.kept = reserve_ranks(places(&Coordinator::can_train, now), devices);
      for (const cluster::Rank rank : vacancies.kept.ranks) vacancies.take(rank);
    }
    return false;
  }
  const auto trial = ledger_.waiting().longest(
      {.devices = devices, .host = vacancies.free.host_of(ranks.front())});
  if (!trial) {
    return false;
  }
  assign(ranks, *trial, now);
  for (const cluster::Rank rank : ranks) vacancies.take(rank);
  return true;
}

void Coordinator::check_that_plan_fits(Clock::time_point now) {
  if (plan_fits_ || most_devices_wanted_ == 1 || interrupted_ ||
      !std::ranges::all_of(agents_, [](const auto& entry) { return entry.second.joined; })) {
    return;
  }
  const int most = most_devices(places(&Coordinator::can_train, now));
  const std::vector<int> widths = ledger_.waiting().widths();
  const auto widest = std::ranges::max_element(widths);
  plan_fits_ = widest == widths.end() || *widest <= most;
  if (!plan_fits_) {
    throw TooFewDevices(fmt::format(
        "a trial wants devices: {}, but the ranks that may train one trial together are at most "
        "{}. On CPUs they must be on one host; each rank has one device. Start more ranks, or ask "
        "for fewer devices.",
        *widest, most));
  }
}

void Coordinator::stop_without_room(Clock::time_point now) const {
  if (most_devices_wanted_ == 1 || anything_runs() || interrupted_ || ledger_.complete() ||
      !all_heard() || !queue_.empty()) {
    return;
  }
  const int most = most_devices(places(&Coordinator::can_train, now));
  if (most > 0 && std::ranges::none_of(ledger_.waiting().widths(),
                                       [&](int devices) { return devices <= most; })) {
    throw NoDeviceLeft(fmt::format(
        "the trials that wait want more devices than the {} that are left for one trial, after "
        "ranks were lost or quarantined. What was committed is safe; run the same command again "
        "to go on.",
        most));
  }
}

void Coordinator::free_late_members(Clock::time_point now) {
  if (most_devices_wanted_ == 1) {
    return;
  }
  for (auto& [rank, agent] : agents_) {
    if (!agent.attempt || agent.leads || agent.abandoning || ledger_.trial_of(*agent.attempt)) {
      continue;
    }
    if (!agent.attempt_over_since) {
      agent.attempt_over_since = now;
    } else if (now - *agent.attempt_over_since > kTimeToHearTheEnd) {
      abandon(rank, "group is over", "the group's leader has ended the attempt");
    }
  }
}

}  // namespace ranksweep::orchestrator
