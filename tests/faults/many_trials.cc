// What the coordinator costs when trials take no time: tools/benchmarks/coordinator.py reads this.
//
//   many_trials DATABASE TRIALS RANKS rollback|wal
//
// Runs the sweep with the real store, prints the memory it holds on the way, then resumes it.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <unistd.h>

#include "results/sqlite_store.h"
#include "tests/faults/instant_sweep.h"
#include "tests/faults/processor_time.h"

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
  void rank_joined(cluster::Rank, const orchestrator::Placement&) override {
    start_ = Clock::now();  // the plan is written
  }
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
  Clock::time_point start_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: many_trials DATABASE TRIALS RANKS rollback|wal\n";
    return 2;
  }
  const std::string database = argv[1];
  const int trials = std::atoi(argv[2]);
  testing::InstantSweepOptions options{.ranks = std::atoi(argv[3]),
                                       .turn = std::chrono::milliseconds(10)};
  if (argv[4] == std::string("wal")) options.journal = results::Journal::wal;
  const sweeps::Plan plan = orchestrator::plan_of(trials, /*epochs=*/1);
  const auto run = [&](orchestrator::ProgressListener& listener) {
    const testing::InstantSweepEnd end =
        testing::run_instant_sweep(plan, database, listener, options);
    if (!end.stopped.empty()) {
      std::cerr << end.stopped << "\n";
      std::exit(1);
    }
    return end;
  };
  Meter meter(trials);
  const double before = testing::processor_seconds();
  const auto end = run(meter);
  std::cout << "coordinator_us_a_trial " << 1e6 * end.coordinator_seconds / trials << "\n"
            << "process_us_a_trial " << 1e6 * (testing::processor_seconds() - before) / trials
            << "\n";
  const auto start = Clock::now();
  const double resumed = testing::processor_seconds();
  orchestrator::SilentListener silent;
  run(silent);
  std::cout << "resume_seconds " << seconds_since(start) << "\n"
            << "resume_processor_seconds " << testing::processor_seconds() - resumed << "\n";
}
