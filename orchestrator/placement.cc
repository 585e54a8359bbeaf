#include "orchestrator/placement.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "orchestrator/nearest_gpus.h"

namespace ranksweep::orchestrator {
namespace {

using cluster::Rank;

bool on_gpu(const RankPlace& place) { return place.device != "cpu"; }

Pool pool_of(const RankPlace& place) { return {place.host, on_gpu(place)}; }

std::string seat_of(const RankPlace& place) {
  if (!on_gpu(place)) return std::to_string(place.rank);
  return place.host + " " + (place.gpu != nullptr ? place.gpu->name : place.device);
}

std::map<Pool, std::vector<RankPlace>> by_pool(const std::vector<RankPlace>& places) {
  std::map<Pool, std::vector<RankPlace>> pools;
  for (const RankPlace& place : places) pools[pool_of(place)].push_back(place);
  return pools;
}

std::vector<RankPlace> gpus_of(const std::vector<RankPlace>& places) {
  std::vector<RankPlace> gpus;
  std::ranges::copy_if(places, std::back_inserter(gpus), on_gpu);
  return gpus;
}

// A rank of each seat, those that are free first. Nothing where there are too few seats.
std::optional<Reservation> first_free(std::vector<RankPlace> places, std::size_t wanted) {
  std::ranges::sort(places, {},
                    [](const RankPlace& each) { return std::pair(each.free_in_s, each.rank); });
  Reservation reservation;
  std::set<std::string> seats;
  for (const RankPlace& place : places) {
    if (seats.size() == wanted || !seats.insert(seat_of(place)).second) continue;
    reservation.ranks.insert(place.rank);
    reservation.free_in_s = place.free_in_s;
  }
  return seats.size() == wanted ? std::optional(reservation) : std::nullopt;
}

std::size_t seats_of(const std::vector<RankPlace>& places) {
  std::set<std::string> seats;
  for (const RankPlace& place : places) seats.insert(seat_of(place));
  return seats.size();
}

}  // namespace

FreeRanks::FreeRanks(const std::vector<RankPlace>& free) {
  for (const RankPlace& place : free) {
    pools_[pool_of(place)][seat_of(place)].insert(place.rank);
    seat_of_[place.rank] = {pool_of(place), seat_of(place), place.gpu};
  }
}

std::vector<Rank> FreeRanks::choose(int devices) const {
  const auto wanted = static_cast<std::size_t>(devices);
  const auto first_ranks = [](const Seats& seats) {
    std::vector<Rank> ranks;
    for (const auto& [seat, of_seat] : seats) ranks.push_back(*of_seat.begin());
    std::ranges::sort(ranks);
    return ranks;
  };
  std::optional<std::vector<Rank>> best;
  std::vector<std::vector<Rank>> hosts;  // with GPUs, but too few
  for (const auto& [pool, seats] : pools_) {
    const bool enough = seats.size() >= wanted;
    if (!enough && (best || !pool.gpus)) continue;
    std::vector<Rank> ranks = first_ranks(seats);
    if (!enough) {
      hosts.push_back(std::move(ranks));
    } else if (!best ||
               std::pair(ranks.size(), ranks.front()) < std::pair(best->size(), best->front())) {
      best = std::move(ranks);
    }
  }
  if (best) return nearest(*best, wanted);
  // Those of the hosts with most of them first, so that the group lies on few hosts.
  std::ranges::stable_sort(hosts, std::greater(), [](const auto& ranks) { return ranks.size(); });
  std::vector<Rank> chosen;
  for (const auto& ranks : hosts) {
    const std::vector<Rank> of_host = nearest(ranks, wanted - chosen.size());
    chosen.insert(chosen.end(), of_host.begin(), of_host.end());
  }
  return chosen.size() == wanted ? chosen : std::vector<Rank>();
}

std::vector<Rank> FreeRanks::nearest(const std::vector<Rank>& ranks, std::size_t wanted) const {
  std::vector<const cluster::Gpu*> gpus;
  for (const Rank rank : ranks) gpus.push_back(seat_of_.at(rank).gpu);
  std::vector<Rank> chosen;
  for (const std::size_t place : nearest_gpus(gpus, wanted)) chosen.push_back(ranks[place]);
  return chosen;
}

void FreeRanks::take(Rank rank) {
  const auto found = seat_of_.find(rank);
  if (found == seat_of_.end()) return;
  const auto pool = pools_.find(found->second.pool);
  const auto seat = pool->second.find(found->second.name);
  seat->second.erase(rank);
  if (seat->second.empty()) pool->second.erase(seat);
  if (pool->second.empty()) pools_.erase(pool);
  seat_of_.erase(found);
}

void FreeRanks::take_host_of(Rank rank) {
  const std::string host = host_of(rank);
  std::erase_if(pools_, [&](const auto& entry) { return entry.first.host == host; });
  std::erase_if(seat_of_, [&](const auto& entry) { return entry.second.pool.host == host; });
}

Reservation reserve_ranks(const std::vector<RankPlace>& living, int devices) {
  const auto wanted = static_cast<std::size_t>(devices);
  std::optional<Reservation> best;
  std::ptrdiff_t most_free = 0;
  for (const auto& [pool, places] : by_pool(living)) {
    const auto reservation = first_free(places, wanted);
    if (!reservation) continue;
    const auto free = std::ranges::count(places, 0.0, &RankPlace::free_in_s);
    if (!best ||
        std::pair(reservation->free_in_s, -free) < std::pair(best->free_in_s, -most_free)) {
      best = reservation;
      most_free = free;
    }
  }
  if (!best) best = first_free(gpus_of(living), wanted);
  return best.value_or(Reservation());
}

int most_devices(const std::vector<RankPlace>& living) {
  std::size_t most = seats_of(gpus_of(living));
  for (const auto& [pool, places] : by_pool(living)) most = std::max(most, seats_of(places));
  return static_cast<int>(most);
}

}  // namespace ranksweep::orchestrator
