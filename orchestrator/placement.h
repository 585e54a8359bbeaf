#pragma once

#include <set>
#include <string>
#include <vector>

#include "cluster/transport.h"

// Which ranks train a trial together. Pure functions of who is there.
namespace ranksweep::orchestrator {

struct RankPlace {
  cluster::Rank rank = 0;
  std::string host;
  std::string device;  // "cpu", "cuda:0"
};

// A group on CPUs shares memory, so it lies on one host; one on GPUs may span hosts.

// The ranks for a trial on `devices`, the leader first: those of the host where the fewest are left
// over, neighbours first; of several hosts where no host has enough. None: it has to wait.
std::vector<cluster::Rank> choose_ranks(const std::vector<RankPlace>& free, int devices);

// The free ranks that a waiting trial keeps for itself, so that smaller ones do not for ever take
// what it waits for, as in backfilling schedulers (A. W. Mu'alem and D. G. Feitelson, Utilization,
// Predictability, Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with Backfilling,
// 2001): those of the host that can have enough and lacks the fewest. `living`: the free ranks and
// those at work.
std::set<cluster::Rank> reserve_ranks(const std::vector<RankPlace>& free,
                                      const std::vector<RankPlace>& living, int devices);

// The most devices that one trial can have among `living`.
int most_devices(const std::vector<RankPlace>& living);

}  // namespace ranksweep::orchestrator
