// How near a schedule comes to the shortest one: tools/benchmarks/scheduling.py reads this.
//
//   simulate_sweep TRIALS RANKS ERROR SEED
//
// Prints what the sweep of everything takes on a simulated cluster as a JSON object.
#include <cstdlib>
#include <iostream>

#include <nlohmann/json.hpp>

#include "tests/orchestrator/simulated_cluster.h"

int main(int argc, char** argv) {
  using namespace ranksweep;
  if (argc != 5) {
    std::cerr << "usage: simulate_sweep TRIALS RANKS ERROR SEED\n";
    return 2;
  }
  const auto sweep = testing::mixed_sweep(std::atoi(argv[1]), std::atof(argv[3]),
                                          static_cast<std::uint32_t>(std::atoi(argv[4])));
  const int ranks = std::atoi(argv[2]);
  const auto done = testing::simulate(sweep.plan, sweep.times, {.ranks = ranks});
  const nlohmann::json json = {
      {"makespan_s", done.makespan_s}, {"bound_s", done.bound_s},
      {"ratio", done.ratio()},         {"device_seconds", done.makespan_s * ranks},
      {"trained_s", done.trained_s},   {"idle_s", done.idle_s}};
  std::cout << json.dump(2) << "\n";
}
