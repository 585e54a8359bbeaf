// What the coordinator costs when trials take no time: tools/benchmarks/coordinator.py reads this.
//
//   many_trials DATABASE TRIALS RANKS
//
// Runs the sweep with the real store, prints the memory it holds on the way, then resumes it.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <unistd.h>

#include "results/sqlite_store.h"
#include "tests/faults/instant_sweep.h"

namespace {

using namespace ranksweep;
using Clock = orchestrator::Clock;

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Meter : public orchestrator::SilentListener {
 public:
  explicit Meter(int trials) : step_(std::max(1, trials / 10)) {}
  void attempt_ended(cluster::Rank, const orchestrator::TrialRecord&,
                     const orchestrator::Ending&) override {
    if (++ended_ % step_ == 0) {
      std::cout << "trials " << ended_ << " seconds " << seconds_since(start_) << " resident_mib "
                << resident_mib() << std::endl;
    }
  }

 private:
  int step_;
  int ended_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: many_trials DATABASE TRIALS RANKS\n";
    return 2;
  }
  const std::string database = argv[1];
  const sweeps::Plan plan = orchestrator::plan_of(std::atoi(argv[2]), /*epochs=*/1);
  Meter meter(std::atoi(argv[2]));
  const std::string stopped = testing::run_instant_sweep(
      plan, database, 600, meter, [](int) {}, std::atoi(argv[3]));
  if (!stopped.empty()) {
    std::cerr << stopped << "\n";
    return 1;
  }
  const auto start = Clock::now();
  orchestrator::SilentListener silent;
  testing::run_instant_sweep(plan, database, 600, silent);
  std::cout << "resume_seconds " << seconds_since(start) << "\n";
}
