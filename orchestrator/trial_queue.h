#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/plan.h"

namespace ranksweep::orchestrator {

// Where a trial could start now.
struct Vacancy {
  int devices = 1;
  std::string host = {};  // empty: any
  // For a trial that is expected to be over before something else comes.
  double seconds = std::numeric_limits<double>::infinity();
  // In how many seconds a host will have a device for another trial; none: not known of any.
  std::function<double(const std::string& host)> free_in = {};
};

// The trials that wait, and which of them goes next: the longest expected one (LPT; R. L. Graham,
// Bounds on Multiprocessing Timing Anomalies, 1969), the plan's order on a tie. What a trial is
// expected to take comes from the plan's costs, and from the epochs of the same architecture on as
// many devices once there are any. Pure: no clock, no disk, no network.
//
// Trials that share the passes of a frozen base (docs/decisions/0009) are kept on the hosts where
// these passes are, until a host has nothing else to do. What few hosts can do is a chain: as long
// as all of it that waits. While a host still computes the passes, other trials are better there.
class TrialQueue {
 public:
  // Empty. The plan must outlive it.
  explicit TrialQueue(const sweeps::Plan& plan);

  // The trial waits, with this share of its epochs still to train.
  void add(std::size_t trial, double share_left);
  // It waits no more, and runs on `host`.
  void start(std::size_t trial, const std::string& host);
  void stop(std::size_t trial);  // it runs no more
  // No trainer is left there. What its trials have in common has to be made again elsewhere.
  void lose_host(const std::string& host);
  // An epoch of the trial took so long.
  void measure(std::size_t trial, double seconds);

  bool empty() const { return places_.empty(); }

  using Condition = std::function<bool(std::size_t trial)>;
  static bool always(std::size_t) { return true; }
  std::optional<std::size_t> longest(const Vacancy&, const Condition& = always) const;
  // The one on a single device that would go last.
  std::optional<std::size_t> smallest(const Condition& = always) const;

  // Of the trials that wait, the numbers of devices, the most urgent first: those of which none
  // runs, then those that have the longest time to go. So all widths are done together, and none is
  // left to run alone in the end.
  std::vector<int> widths() const;
  // The least time, in seconds, in which the trials on so many devices that wait can be done by the
  // devices that train such now, or by those of one trial if none do: their work divided by these
  // devices, or the longest of them.
  double time_to_go(int devices) const;
  bool any_runs(int devices) const;
  // Nothing before an epoch was measured.
  std::optional<double> expected_seconds(std::size_t trial) const;

 private:
  using Place = std::pair<double, std::size_t>;  // minus the cost that is left, trial: in order

  // Trials of which it is enough to know the longest.
  struct Lane {
    std::string architecture;
    int devices = 1;
    double base_cost = 0;  // of passes that its trials share; 0: they share none
    // Where these passes run or have run, and whether they are known to be over.
    std::map<std::string, bool> hosts;
    std::set<Place> waiting;
    double cost = 0;  // of those that wait
    int running = 0;
  };
  struct Measured {
    double device_seconds = 0;
    double cost = 0;
  };

  Lane& lane_of(std::size_t trial) { return lanes_[lane_of_trial_[trial]]; }
  const Lane& lane_of(std::size_t trial) const { return lanes_[lane_of_trial_[trial]]; }
  // The longest trial of the lane that fits.
  std::optional<Place> longest_of(const Lane&, double seconds, const Condition&) const;
  // What a trial of the lane that started on the host would find of the passes it shares, the best
  // first: all it needs, what is being computed, nothing.
  enum class Passes { there, coming, missing };
  static Passes passes(const Lane&, const std::string& host);
  // Whether the passes are worth running once more, on a host that has nothing else to do.
  bool worth_a_new_host(const Lane&, const Vacancy&) const;
  double device_seconds_per_cost(const Lane&) const;
  double seconds_of(const Lane&, double cost) const;

  const sweeps::Plan& plan_;
  std::vector<Lane> lanes_;
  std::vector<std::size_t> lane_of_trial_;
  std::map<std::size_t, Place> places_;                       // of the trials that wait
  std::map<std::size_t, std::string> host_of_;                // of those that run
  std::map<std::pair<std::string, int>, Measured> measured_;  // by architecture and devices
  Measured all_measured_;
};

}  // namespace ranksweep::orchestrator
