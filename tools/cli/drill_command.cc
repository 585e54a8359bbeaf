#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <signal.h>
#include <thread>

#include <fmt/format.h>

#include "cluster/mpi_launch.h"
#include "cluster/process_tree.h"
#include "cluster/signals.h"
#include "results/comparison.h"
#include "results/results_reader.h"
#include "results/sweep_progress.h"
#include "results/sweep_store.h"
#include "tools/cli/commands.h"
#include "tools/cli/run_options.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct DrillOptions {
  std::filesystem::path sweep_file;
  std::filesystem::path folder;
  std::string device = "auto";
  int ranks = 2;
  int kills = 5;
  std::vector<std::string> launcher_options;
};

// Kills a trainer below `root`, if one runs on this node: whatever program it is, it is the child
// of a rank.
bool kill_one(pid_t root, std::mt19937& random) {
  const auto rank = std::filesystem::read_symlink("/proc/self/exe").filename();
  const std::vector<pid_t> trainers = cluster::children_of_named(root, rank.string());
  if (trainers.empty()) {
    return false;
  }
  const pid_t victim =
      trainers[std::uniform_int_distribution<std::size_t>(0, trainers.size() - 1)(random)];
  return ::kill(victim, SIGKILL) == 0;
}

// A database that is just being made has none.
std::int64_t work_done(const std::filesystem::path& database) {
  try {
    return results::read_progress(database).work_done;
  } catch (const results::StoreError&) {
    return 0;
  }
}

// When to kill: at a random moment after another epoch was trained, within the time that the last
// one took. So short trials are hit too.
class KillTimes {
 public:
  explicit KillTimes(std::mt19937& random) : random_(random) {}

  // Whether it is time, given the work done so far.
  bool is_due(std::int64_t work, Clock::time_point now) {
    if (work > work_seen_) {
      const auto epoch = work_seen_ == 0 ? Clock::duration::zero() : now - seen_at_;
      work_seen_ = work;
      seen_at_ = now;
      if (next_ == kNotYet)
        next_ = now + any_part_of(std::min<Clock::duration>(epoch, kLongestDelay));
    }
    return now >= next_;
  }
  void killed() { next_ = kNotYet; }

 private:
  static constexpr std::chrono::seconds kLongestDelay{1};
  static constexpr auto kNotYet = Clock::time_point::max();  // an epoch is awaited first

  Clock::duration any_part_of(Clock::duration whole) {
    return Clock::duration(std::uniform_int_distribution<Clock::rep>(0, whole.count())(random_));
  }

  std::mt19937& random_;
  std::int64_t work_seen_ = 0;
  Clock::time_point seen_at_;
  Clock::time_point next_ = kNotYet;
};

// Runs the small sweep to its end while trainers are killed. Returns how many were.
int run_and_kill(const DrillOptions& options, const std::filesystem::path& database, int kills) {
  std::mt19937 random(std::random_device{}());
  cluster::LaunchedJob job(launch_command(options.ranks, options.launcher_options,
                                          {.sweep_file = options.sweep_file,
                                           .database = database,
                                           .device = options.device,
                                           .small = true}));
  int killed = 0;
  KillTimes times(random);
  while (!job.exit_status()) {
    std::this_thread::sleep_for(milliseconds(50));
    if (cluster::stop_signal() != 0) {
      throw CommandError(ExitCode::interrupted, "the drill was interrupted");
    }
    if (killed < kills && times.is_due(work_done(database), Clock::now()) &&
        kill_one(job.pid(), random)) {
      ++killed;
      times.killed();
    }
  }
  return killed;
}

void print_lost_attempts(results::ResultsReader& reader) {
  for (const results::Attempt& attempt : reader.attempts()) {
    if (attempt.outcome == "lost") {
      fmt::print("  {}  rank {} on {}  {}\n", attempt.trial.short_hex(), attempt.rank, attempt.host,
                 attempt.cause);
    }
  }
}

ExitCode drill(const DrillOptions& options) {
  cluster::catch_stop_signals();
  std::filesystem::create_directories(options.folder);
  const auto disturbed = options.folder / "disturbed.db";
  const auto undisturbed = options.folder / "undisturbed.db";
  for (const auto& database : {disturbed, undisturbed}) {
    if (std::filesystem::exists(database)) {
      throw CommandError(ExitCode::bad_input,
                         fmt::format("{} is there from an earlier drill; remove it, or give "
                                     "another --folder",
                                     database.string()));
    }
  }
  fmt::print("the three smallest trials on {}, while trainers are killed\n",
             count_text(options.ranks, "rank"));
  std::fflush(stdout);
  const int killed = run_and_kill(options, disturbed, options.kills);
  if (killed == 0 && options.kills > 0) {
    throw CommandError(ExitCode::bad_input,
                       "no trainer was killed: the small sweep was over too soon, so nothing was "
                       "rehearsed; see that its trials train at all, for several epochs");
  }
  fmt::print("the same, undisturbed\n");
  std::fflush(stdout);
  run_and_kill(options, undisturbed, 0);

  results::ResultsReader first(disturbed);
  results::ResultsReader second(undisturbed);
  const results::Comparison comparison(first.ranking(), second.ranking());
  fmt::print("\n{} killed; these attempts were lost and tried again:\n",
             count_text(killed, "trainer"));
  print_lost_attempts(first);
  fmt::print("{}\n", comparison.summary());
  const results::SweepProgress progress = results::read_progress(disturbed);
  const bool complete = progress.complete() && progress.failed_trials == 0;
  if (!complete || !comparison.all_equal()) {
    fmt::print("{}\n", complete ? "Every trial ended. On GPUs results may differ in the last digits"
                                : "NOT survived: some trials did not end");
    return complete ? ExitCode::different : ExitCode::trials_failed;
  }
  fmt::print("Survived: every trial ended once, with the results of the undisturbed run.\n");
  return ExitCode::success;
}

}  // namespace

void add_drill_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<DrillOptions>();
  CLI::App* command = app.add_subcommand(
      "drill", "Rehearse: run a small version of a sweep while killing trainers of this node");
  command->add_option("sweep", options->sweep_file, "The sweep file (YAML)")->required();
  command->add_option("-n,--ranks", options->ranks, "Ranks")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--kills", options->kills, "Trainers to kill")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--folder", options->folder, "For the databases and checkpoints of the drill")
      ->default_val("drill");
  command->add_option("--device", options->device, "As for `run`")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("launcher", options->launcher_options, "After --: options for mpirun");
  command->callback([options, &result] { result = drill(*options); });
}

}  // namespace ranksweep::cli
