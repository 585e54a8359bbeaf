// The coordinator's work on trials that several ranks train together.

#include <algorithm>

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

std::vector<RankPlace> Coordinator::places(bool (Coordinator::*wanted)(const AgentState&)
                                               const) const {
  std::vector<RankPlace> found;
  for (const auto& [rank, agent] : agents_) {
    if ((this->*wanted)(agent) && can_train(agent)) {
      found.push_back(
          {.rank = rank, .host = agent.placement.host, .device = agent.placement.device});
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

std::set<cluster::Rank> Coordinator::start_groups(Clock::time_point now) {
  if (most_devices_wanted_ == 1 || interrupted_ || !all_heard() || too_late(now)) {
    return {};
  }
  const std::vector<RankPlace> living = places(&Coordinator::can_train);
  const int most = most_devices(living);
  while (storage_failure_.empty()) {
    const auto trial = ledger_.next([&](std::size_t each) { return devices_of(each) <= most; });
    if (!trial || devices_of(*trial) == 1) {
      break;
    }
    const std::vector<RankPlace> free = places(&Coordinator::is_free);
    const std::vector<cluster::Rank> ranks = choose_ranks(free, devices_of(*trial));
    if (ranks.empty()) {
      return reserve_ranks(free, living, devices_of(*trial));
    }
    assign(ranks, *trial, now);
  }
  return {};
}

void Coordinator::check_that_plan_fits() {
  if (plan_fits_ || most_devices_wanted_ == 1 || interrupted_ ||
      !std::ranges::all_of(agents_, [](const auto& entry) { return entry.second.joined; })) {
    return;
  }
  const int most = most_devices(places(&Coordinator::can_train));
  const auto trial = ledger_.next([&](std::size_t each) { return devices_of(each) > most; });
  plan_fits_ = !trial;
  if (trial) {
    throw TooFewDevices(fmt::format(
        "a trial wants devices: {}, but the ranks that may train one trial together are at most "
        "{}. On CPUs they must be on one host; each rank has one device. Start more ranks, or ask "
        "for fewer devices.",
        devices_of(*trial), most));
  }
}

void Coordinator::stop_without_room() const {
  if (most_devices_wanted_ == 1 || anything_runs() || interrupted_ || ledger_.complete() ||
      !all_heard() || !queue_.empty()) {
    return;
  }
  const int most = most_devices(places(&Coordinator::can_train));
  if (most > 0 && !ledger_.next([&](std::size_t each) { return devices_of(each) <= most; })) {
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
