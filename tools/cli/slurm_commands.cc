#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cluster/batch_script.h"
#include "cluster/child_process.h"
#include "cluster/slurm.h"
#include "sweeps/sweep_file.h"
#include "tools/cli/commands.h"
#include "tools/cli/submit_forecast.h"
#include "tools/cli/sweep_shares.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

using std::chrono::seconds;

constexpr bool kWithCuda = RANKSWEEP_WITH_CUDA;
// Small networks gain little from more threads; more trials at a time gain in full.
constexpr int kCoresOfARankWithoutGpu = 4;

struct SubmitOptions {
  std::filesystem::path sweep_file;
  std::filesystem::path database;
  std::filesystem::path profile;
  std::string nodes = "1";
  std::optional<int> tasks;  // of an array
  std::optional<int> gpus_per_node;
  std::optional<int> ranks_per_node;
  std::string time;
  std::string partition;
  std::string account;
  std::string scratch;
  int max_requeues = 20;
  bool dry_run = false;
};

cluster::SlurmProfile find_profile(const SubmitOptions& options) {
  std::error_code error;
  const auto usual = cluster::default_slurm_profile();
  cluster::SlurmProfile profile;
  if (!options.profile.empty()) {
    profile = cluster::load_slurm_profile(options.profile);
  } else if (std::filesystem::exists(usual, error)) {
    profile = cluster::load_slurm_profile(usual);
    fmt::print(stderr, "profile: {}\n", usual.string());
  }
  if (!options.partition.empty()) {
    profile.partition = options.partition;
  }
  if (!options.account.empty()) {
    profile.account = options.account;
  }
  if (!options.scratch.empty()) {
    profile.scratch = options.scratch;
  }
  return profile;
}

// A rank a GPU, or as many as the cores are good for.
void choose_ranks(const SubmitOptions& options, const Cluster& cluster, cluster::BatchJob& job) {
  job.gpus_per_node = options.gpus_per_node;
  if (!job.gpus_per_node && kWithCuda && cluster.node.gpus > 0) {
    job.gpus_per_node = cluster.node.gpus;
  }
  if (job.gpus_per_node == 0) {
    job.gpus_per_node.reset();
  }
  if (job.gpus_per_node && options.ranks_per_node.value_or(0) > *job.gpus_per_node) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("--ranks-per-node {} with {} a node: a rank needs a GPU of its "
                                   "own",
                                   *options.ranks_per_node, count_text(*job.gpus_per_node, "GPU")));
  }
  const int by_cores = std::max(1, cluster.node.cores / kCoresOfARankWithoutGpu);
  job.ranks_per_node = options.ranks_per_node.value_or(job.gpus_per_node.value_or(by_cores));
  if (cluster.node.cores > 0) {
    const int cores = job.gpus_per_node && cluster.node.gpus > 0
                          ? cluster.node.cores * std::min(*job.gpus_per_node, cluster.node.gpus) /
                                cluster.node.gpus
                          : cluster.node.cores;
    job.cores_per_rank = std::max(1, cores / job.ranks_per_node);
  }
}

void choose_time(const SubmitOptions& options, const Cluster& cluster, cluster::BatchJob& job) {
  auto limit = cluster::parse_time_limit(options.time);
  if (!options.time.empty() && !limit) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("--time {}: no time as Slurm has it, such as 8:00:00, 1-12:00 or "
                    "30 (minutes)",
                    options.time));
  }
  if (cluster.partition) {
    const auto longest = cluster.partition->longest_time;
    if (limit && longest && *limit > *longest) {
      throw CommandError(
          ExitCode::bad_input,
          fmt::format("--time {}: partition {} allows at most {}; a sweep that needs "
                      "longer requeues itself",
                      options.time, cluster.partition->name,
                      duration_text(static_cast<double>(longest->count()))));
    }
    if (!limit) {
      limit = cluster.partition->default_time ? cluster.partition->default_time : longest;
    }
  }
  job.time = options.time;
  if (limit) {
    job.warning = std::clamp(*limit / 10, seconds(10), seconds(120));
  }
}

cluster::BatchJob make_job(const SubmitOptions& options, const Cluster& cluster,
                           cluster::SlurmProfile profile) {
  const sweeps::SweepSpec sweep = sweeps::load_sweep_file(options.sweep_file).sweep;
  for (const std::string& warning : sweep.warnings) {
    fmt::print(stderr, "warning: {}\n", warning);
  }
  std::error_code error;
  if (!sweep.data.path.empty() && !std::filesystem::exists(sweep.data.path, error)) {
    throw CommandError(ExitCode::bad_input, fmt::format("{}: the data is not there, on this node",
                                                        sweep.data.path.string()));
  }
  const auto database = std::filesystem::absolute(
      options.database.empty() ? options.sweep_file.stem().concat(".db") : options.database);
  cluster::BatchJob job{
      .name = sweep.name,
      .program = std::filesystem::read_symlink("/proc/self/exe"),
      .sweep_file = std::filesystem::absolute(options.sweep_file),
      .database = database,
      .script = std::filesystem::path(database).replace_extension(".sbatch"),
      .nodes = options.nodes,
      .tasks = options.tasks,
      .max_requeues = options.max_requeues,
      .profile = std::move(profile),
  };
  choose_ranks(options, cluster, job);
  choose_time(options, cluster, job);
  return job;
}

// Trials would be trained twice beside shares that are not gathered yet, or dealt in another way.
void refuse_to_deal_anew(const cluster::BatchJob& job) {
  const auto shares = share_table(job.database).rows.size();
  if (shares > 0 && shares != static_cast<std::size_t>(job.tasks.value_or(0))) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("{}: the sweep was begun in {}; go on with --array {}",
                                   share_folder(job.database).string(),
                                   count_text(static_cast<std::int64_t>(shares), "share"), shares));
  }
}

void refuse_a_second_job(const std::filesystem::path& database) {
  const auto jobs = cluster::slurm_jobs_of(database);
  if (!jobs.empty()) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("job {} ({}) works on {} already; `ranksweep cancel {}` ends it",
                    jobs.front().id, jobs.front().state, database.string(), database.string()));
  }
}

ExitCode submit(const SubmitOptions& options) {
  cluster::SlurmProfile profile = find_profile(options);
  const Cluster cluster = ask_cluster(profile, options.dry_run);
  const cluster::BatchJob job = make_job(options, cluster, std::move(profile));
  print_forecast(job, cluster);
  const std::string script = batch_script(job);
  if (options.dry_run) {
    fmt::print("{}", script);
    return ExitCode::success;
  }
  refuse_to_deal_anew(job);
  refuse_a_second_job(job.database);
  std::ofstream file(job.script, std::ios::binary);
  if (!(file << script).flush()) {
    throw CommandError(ExitCode::unfit, fmt::format("{} cannot be written", job.script.string()));
  }
  file.close();
  fmt::print("{}", cluster::output_of({"sbatch", job.script.string()}));
  fmt::print("To see how it stands: ranksweep status {}\n", job.database.string());
  return ExitCode::success;
}

struct CancelOptions {
  std::filesystem::path database;
  bool now = false;
};

ExitCode cancel(const CancelOptions& options) {
  const auto jobs = cluster::slurm_jobs_of(options.database);
  if (jobs.empty()) {
    throw CommandError(ExitCode::bad_input, fmt::format("no job of yours in the queue works on {}",
                                                        options.database.string()));
  }
  for (const cluster::SlurmJob& job : jobs) {
    if (job.state == "RUNNING" && !options.now) {
      cluster::output_of({"scancel", "--batch", "--signal=USR2", job.id});
      fmt::print("job {}: asked to write its states and leave\n", job.id);
    } else {
      cluster::output_of({"scancel", job.id});
      fmt::print("job {}: cancelled\n", job.id);
    }
  }
  return ExitCode::success;
}

}  // namespace

void add_slurm_commands(CLI::App& app, ExitCode& result) {
  auto submitting = std::make_shared<SubmitOptions>();
  CLI::App* command = app.add_subcommand(
      "submit", "Submit a sweep to Slurm, as a job that requeues itself until the sweep is done");
  command->add_option("sweep", submitting->sweep_file, "The sweep file (YAML)")->required();
  command->add_option("--db", submitting->database,
                      "The results database; left out: named after the sweep file, in this folder");
  CLI::Option* nodes =
      command->add_option("--nodes", submitting->nodes, "\"2\", or \"1-4\" to take what is free")
          ->check(CLI::Validator(
              [](const std::string& text) {
                const bool good =
                    !text.empty() && text.find_first_not_of("0123456789-") == text.npos;
                return good ? "" : "a number of nodes, or two with a - between them";
              },
              "NODES"))
          ->capture_default_str();
  command
      ->add_option(
          "--array", submitting->tasks,
          "So many tasks of one node each, apart from one another, instead of one job; each "
          "trains its share of the plan, and whichever is done last makes the database")
      ->check(CLI::Range(1, 100000))
      ->excludes(nodes);
  command
      ->add_option("--gpus-per-node", submitting->gpus_per_node,
                   "Left out: all that a node of the partition has; 0: none")
      ->check(CLI::Range(0, 1024));
  command
      ->add_option("--ranks-per-node,--ntasks-per-node", submitting->ranks_per_node,
                   "Left out: one a GPU, or without GPUs one for four cores")
      ->check(CLI::Range(1, 4096));
  command->add_option("--time", submitting->time, "Of each run of the job, as sbatch has it");
  command->add_option("--partition", submitting->partition, "Left out: the profile's or cluster's");
  command->add_option("--account", submitting->account, "Left out: the profile's or yours");
  command->add_option("--scratch", submitting->scratch,
                      "A folder on each node's own disk for decoded images and features, such as "
                      "'$TMPDIR'; left out: the profile's");
  command->add_option("--max-requeues", submitting->max_requeues, "How often the job may go on")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  command->add_option(
      "--profile", submitting->profile,
      "What the cluster wants; left out: ~/.config/ranksweep/cluster.yaml if there");
  command->add_flag("--dry-run", submitting->dry_run, "Print the script and submit nothing");
  command->callback([submitting, &result] { result = submit(*submitting); });

  auto cancelling = std::make_shared<CancelOptions>();
  command = app.add_subcommand(
      "cancel", "End the Slurm job that works on a database; `submit` goes on with it later");
  command->add_option("database", cancelling->database, "The results database")->required();
  command->add_flag("--now", cancelling->now,
                    "Do not wait until the ranks have written their states");
  command->callback([cancelling, &result] { result = cancel(*cancelling); });
}

}  // namespace ranksweep::cli
