#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/gpus.h"
#include "cluster/transport.h"

// Which ranks train a trial together. Pure functions of who is there.
namespace ranksweep::orchestrator {

struct RankPlace {
  cluster::Rank rank = 0;
  std::string host;
  std::string device;                 // "cpu", "cuda:0"
  double free_in_s = 0;               // when it is expected to be free; infinity: not known
  const cluster::Gpu* gpu = nullptr;  // that the device is, where that is known; not owned
};

// A group on CPUs shares memory, so it lies on one host; one on GPUs may span hosts. Where several
// ranks share a GPU, a group has one of them.

// Ranks that a group may be made of without leaving the host.
struct Pool {
  std::string host;
  bool gpus = false;
  auto operator<=>(const Pool&) const = default;
};

// The ranks that wait for a trial.
class FreeRanks {
 public:
  explicit FreeRanks(const std::vector<RankPlace>& free);

  bool empty() const { return seat_of_.empty(); }
  cluster::Rank first() const { return seat_of_.begin()->first; }
  const std::string& host_of(cluster::Rank rank) const { return seat_of_.at(rank).pool.host; }
  // The ranks for a trial on `devices`, the leader first: those of the host where the fewest are
  // left over; of several hosts where no host has enough. Of more than it needs on a host those
  // whose GPUs are the nearest to one another, else neighbours. None: it has to wait.
  std::vector<cluster::Rank> choose(int devices) const;
  // Nothing for one that is not among them.
  void take(cluster::Rank rank);
  void take_host_of(cluster::Rank rank);

 private:
  // By what a member of a group has for itself: a GPU, or a rank's share of the cores.
  using Seats = std::map<std::string, std::set<cluster::Rank>>;
  struct Seat {
    Pool pool;
    std::string name;
    const cluster::Gpu* gpu = nullptr;
  };

  // Of `ranks`, which are of one host.
  std::vector<cluster::Rank> nearest(const std::vector<cluster::Rank>& ranks,
                                     std::size_t wanted) const;

  std::map<Pool, Seats> pools_;
  std::map<cluster::Rank, Seat> seat_of_;
};

struct Reservation {
  std::set<cluster::Rank> ranks;  // free ones and those at work
  double free_in_s = 0;           // all of them
};

// The ranks that a waiting trial keeps for itself, so that smaller ones do not for ever take what
// it waits for, as in backfilling schedulers (A. W. Mu'alem and D. G. Feitelson, Utilization,
// Predictability, Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with Backfilling,
// 2001): those of the host where they are all free first, most of them now where that is not known.
// None if it could never start.
Reservation reserve_ranks(const std::vector<RankPlace>& living, int devices);

// The most devices that one trial can have among `living`.
int most_devices(const std::vector<RankPlace>& living);

}  // namespace ranksweep::orchestrator
