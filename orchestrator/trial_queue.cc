#include "orchestrator/trial_queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace ranksweep::orchestrator {
namespace {

// What trials on several devices leave, smaller ones can use, but not the other way round: devices
// that small trials have taken come free one by one. So wide trials may be a little ahead.
constexpr double kHeadStart = 0.1;

}  // namespace

TrialQueue::TrialQueue(const sweeps::Plan& plan) : plan_(plan) {
  std::map<int, int> trials_on_base;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    if (trial.base) ++trials_on_base[*trial.base];
  }
  std::map<std::tuple<std::string, int, std::optional<int>>, std::size_t> numbers;
  for (const sweeps::PlannedTrial& trial : plan.trials) {
    const bool shares = trial.base && trials_on_base[*trial.base] > 1;
    const auto [found, is_new] = numbers.try_emplace(
        {trial.spec.architecture, trial.spec.devices, shares ? trial.base : std::nullopt},
        lanes_.size());
    if (is_new) {
      lanes_.push_back({.architecture = trial.spec.architecture,
                        .devices = trial.spec.devices,
                        .base_cost = shares ? trial.base_cost : 0});
    }
    lane_of_trial_.push_back(found->second);
  }
}

void TrialQueue::add(std::size_t trial, double share_left) {
  const double cost = plan_.trials.at(trial).cost * share_left;
  Lane& lane = lane_of(trial);
  places_[trial] = {-cost, trial};
  lane.waiting.insert({-cost, trial});
  lane.cost += cost;
}

void TrialQueue::start(std::size_t trial, const std::string& host) {
  Lane& lane = lane_of(trial);
  const Place place = places_.at(trial);
  places_.erase(trial);
  lane.waiting.erase(place);
  lane.cost = lane.waiting.empty() ? 0 : lane.cost + place.first;
  lane.hosts.try_emplace(host, false);
  host_of_[trial] = host;
  ++lane.running;
}

void TrialQueue::stop(std::size_t trial) {
  host_of_.erase(trial);
  --lane_of(trial).running;
}

void TrialQueue::lose_host(const std::string& host) {
  for (Lane& lane : lanes_) lane.hosts.erase(host);
}

void TrialQueue::measure(std::size_t trial, double seconds) {
  const sweeps::PlannedTrial& planned = plan_.trials.at(trial);
  if (const auto host = host_of_.find(trial); host != host_of_.end()) {
    lane_of(trial).hosts[host->second] = true;
  }
  if (planned.spec.training != sweeps::TrainingMode::full || seconds <= 0) {
    return;  // the epochs of a frozen base do not have equal parts of its cost
  }
  const sweeps::TrialSpec& spec = planned.spec;
  const double cost = planned.cost / spec.epochs;
  const double device_seconds = seconds * spec.devices;
  for (Measured* each : {&measured_[{spec.architecture, spec.devices}], &all_measured_}) {
    each->device_seconds += device_seconds;
    each->cost += cost;
  }
}

std::optional<std::size_t> TrialQueue::longest(const Vacancy& vacancy,
                                               const Condition& fits) const {
  using Candidate = std::tuple<Passes, double, std::size_t>;  // minus the seconds, and the trial
  const auto first_of = [&](const auto& open) {
    std::optional<Candidate> first;
    for (const Lane& lane : lanes_) {
      if (lane.devices != vacancy.devices || lane.waiting.empty()) continue;
      const Passes found = passes(lane, vacancy.host);
      if (!open(lane, found) || (first && found > std::get<Passes>(*first))) continue;
      const auto place = longest_of(lane, vacancy.seconds, fits);
      if (!place) continue;
      const double seconds = seconds_of(lane, lane.base_cost > 0 ? lane.cost : -place->first);
      const Candidate candidate(found, -seconds, place->second);
      if (!first || candidate < *first) first = candidate;
    }
    return first;
  };
  std::optional<Candidate> first =
      first_of([](const Lane&, Passes found) { return found != Passes::missing; });
  if (!first) {
    first = first_of([&](const Lane& lane, Passes found) {
      return found == Passes::missing && worth_a_new_host(lane, vacancy);
    });
  }
  return first ? std::optional(std::get<std::size_t>(*first)) : std::nullopt;
}

std::optional<TrialQueue::Place> TrialQueue::longest_of(const Lane& lane, double seconds,
                                                        const Condition& fits) const {
  auto place = lane.waiting.begin();
  if (std::isfinite(seconds)) {
    const double cost = seconds * lane.devices / device_seconds_per_cost(lane);
    place = lane.waiting.lower_bound({-cost, 0});
  }
  place =
      std::find_if(place, lane.waiting.end(), [&](const Place& each) { return fits(each.second); });
  return place == lane.waiting.end() ? std::nullopt : std::optional(*place);
}

std::optional<std::size_t> TrialQueue::smallest(const Condition& fits) const {
  std::optional<std::size_t> best;
  double best_seconds = 0;
  for (const Lane& lane : lanes_) {
    if (lane.devices != 1) continue;
    const auto place = std::find_if(lane.waiting.rbegin(), lane.waiting.rend(),
                                    [&](const Place& each) { return fits(each.second); });
    if (place == lane.waiting.rend()) continue;
    const double seconds = seconds_of(lane, -place->first);
    if (!best || seconds < best_seconds || (seconds == best_seconds && place->second > *best)) {
      best = place->second;
      best_seconds = seconds;
    }
  }
  return best;
}

std::vector<int> TrialQueue::widths() const {
  std::map<int, double> urgency;
  for (const Lane& lane : lanes_) {
    if (!lane.waiting.empty()) urgency[lane.devices] = 0;
  }
  std::vector<int> widths;
  for (auto& [devices, of_width] : urgency) {
    if (urgency.size() > 1) {
      of_width = any_runs(devices) ? time_to_go(devices) * std::pow(devices, kHeadStart)
                                   : std::numeric_limits<double>::infinity();
    }
    widths.push_back(devices);
  }
  std::ranges::sort(widths, std::greater(),
                    [&](int devices) { return std::pair(urgency[devices], devices); });
  return widths;
}

double TrialQueue::time_to_go(int devices) const {
  double work = 0;
  double longest = 0;
  int running = 0;
  for (const Lane& lane : lanes_) {
    if (lane.devices != devices) continue;
    running += lane.running;
    if (lane.waiting.empty()) continue;
    work += seconds_of(lane, lane.cost);
    longest = std::max(longest, seconds_of(lane, -lane.waiting.begin()->first));
  }
  return std::max(work / std::max(running, 1), longest);
}

bool TrialQueue::any_runs(int devices) const {
  return std::ranges::any_of(
      lanes_, [&](const Lane& lane) { return lane.devices == devices && lane.running > 0; });
}

std::optional<double> TrialQueue::expected_seconds(std::size_t trial) const {
  if (all_measured_.cost == 0) {
    return std::nullopt;
  }
  return seconds_of(lane_of(trial), -places_.at(trial).first);
}

TrialQueue::Passes TrialQueue::passes(const Lane& lane, const std::string& host) {
  if (host.empty() || lane.base_cost == 0 || lane.hosts.empty()) return Passes::there;
  const auto found = lane.hosts.find(host);
  if (found == lane.hosts.end()) return Passes::missing;
  return found->second ? Passes::there : Passes::coming;
}

bool TrialQueue::worth_a_new_host(const Lane& lane, const Vacancy& vacancy) const {
  double seconds_at_home = seconds_of(lane, lane.cost) / std::max(lane.running, 1);
  if (lane.running == 0) {
    double free_in = std::numeric_limits<double>::infinity();
    for (const auto& [host, computed] : lane.hosts) {
      if (vacancy.free_in) free_in = std::min(free_in, vacancy.free_in(host));
    }
    seconds_at_home += free_in;
  }
  return seconds_at_home > seconds_of(lane, lane.base_cost);
}

double TrialQueue::device_seconds_per_cost(const Lane& lane) const {
  const auto found = measured_.find({lane.architecture, lane.devices});
  const Measured& measured = found == measured_.end() ? all_measured_ : found->second;
  return measured.cost > 0 ? measured.device_seconds / measured.cost : 1;
}

double TrialQueue::seconds_of(const Lane& lane, double cost) const {
  return cost * device_seconds_per_cost(lane) / lane.devices;
}

}  // namespace ranksweep::orchestrator
