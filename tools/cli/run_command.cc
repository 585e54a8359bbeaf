#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cluster/mpi_transport.h"
#include "cluster/node.h"
#include "cluster/signals.h"
#include "orchestrator/rank_loop.h"
#include "results/publisher.h"
#include "results/sqlite_store.h"
#include "tools/cli/automatic_choices.h"
#include "tools/cli/automatic_devices.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/commands.h"
#include "tools/cli/device_choice.h"
#include "tools/cli/environment.h"
#include "tools/cli/progress_display.h"
#include "tools/cli/run_options.h"
#include "tools/cli/scratch_folder.h"
#include "tools/cli/slurm_job.h"
#include "tools/cli/sweep_inputs.h"
#include "tools/cli/sweep_shares.h"
#include "tools/cli/test_split.h"
#include "tools/cli/text.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

using orchestrator::Clock;

struct Ranks {
  std::unique_ptr<cluster::Transport> transport;
  int on_node = 1;                // this one among them
  std::vector<cluster::Gpu> own;  // GPUs of this one
  std::vector<RankGpus> all;      // of each
};

Ranks start_ranks(const std::string& device) {
  Ranks ranks;
  if (device != "cpu") ranks.own = usable_gpus();
  RankGpus own{.host = cluster::host_name(), .gpus = {}};
  for (const cluster::Gpu& gpu : ranks.own) own.gpus.push_back(gpu.name);
  if (!cluster::launched_by_mpi()) {
    ranks.transport = std::make_unique<cluster::LocalTransport>();
    ranks.all = {own};
    return ranks;
  }
  auto mpi = cluster::MpiTransport::start();
  ranks.on_node = mpi->local_size();
  for (const auto& told : mpi->tell_all(nlohmann::json::array({own.host, own.gpus}).dump())) {
    const auto rank = nlohmann::json::parse(told);
    ranks.all.push_back({.host = rank.at(0), .gpus = rank.at(1)});
  }
  ranks.transport = std::move(mpi);
  return ranks;
}

// Every rank chooses for all of them, so they throw the same CommandError or none.
orchestrator::Hello choose_device(const Ranks& ranks, const RunOptions& options) {
  const auto gpus = choose_gpus(options.device, ranks.all, options.trials_per_gpu);
  const auto gpu = gpus.at(static_cast<std::size_t>(ranks.transport->rank()));
  return {.host = cluster::host_name(),
          .device = gpu ? fmt::format("cuda:{}", *gpu) : "cpu",
          .threads = cluster::threads_for_each(cluster::cores_of_node(), ranks.on_node),
          .gpu = gpu ? ranks.own.at(*gpu) : cluster::Gpu()};
}

// What this rank trains on.
struct Place {
  orchestrator::AgentOptions agent;
  int ranks_on_node = 1;
};

nlohmann::json data_for_trainers(const SweepInputs& inputs) {
  auto data = nlohmann::json::object();
  if (inputs.has_data()) data = sweeps::to_json(inputs.file.sweep.data);
  data["fingerprint"] = inputs.plan.data_fingerprint;
  return data;
}

// A whole sweep, or a share of one.
struct RunRequest {
  RunOptions options;
  std::optional<Share> share;
};

DevicesAtHand devices_at_hand(const Place& place, int trials_per_gpu, int ranks) {
  const auto& device = place.agent.hello.device;
  const bool on_cpu = device == "cpu";
  const double memory =
      ask_trainer(place.agent.trainer_command.front(), {"memory", device}).at("bytes");
  return {.count = ranks,
          .most = on_cpu ? place.ranks_on_node : ranks,
          .memory_bytes = memory / (on_cpu ? place.ranks_on_node : trials_per_gpu)};
}

// The plan with nothing left to `auto`.
sweeps::Plan settle(const Task& task, const SweepInputs& inputs, const RunOptions& options,
                    const Place& place, int ranks, results::SqliteStore& store) {
  // A small run is compared with another one: both have the defaults.
  if (options.small || inputs.file.trainer) {
    return settle_devices(task.plan, {});
  }
  const bool wants_devices = std::ranges::any_of(task.plan.trials, [](const auto& trial) {
    return trial.spec.devices == sweeps::kAutomaticDevices;
  });
  return settle_automatic_choices(
      wants_devices
          ? settle_devices(task.plan, devices_at_hand(place, options.trials_per_gpu, ranks))
          : task.plan,
      static_cast<int>(inputs.data.train.size()),
      {.trainer = place.agent.trainer_command.front(),
       .device = place.agent.hello.device,
       .threads = inputs.file.sweep.execution.threads.value_or(place.agent.hello.threads)},
      store);
}

void print_start(const SweepInputs& inputs, int ranks, const orchestrator::TrialCounts& counts) {
  for (const std::string& warning : inputs.file.sweep.warnings) {
    fmt::print(stderr, "warning: {}\n", warning);
  }
  fmt::print("{}: {} on {}{}\n", inputs.plan.sweep_name, count_text(counts.total(), "trial"),
             count_text(ranks, "rank"), subject_text(inputs));
  if (counts.pending < counts.total()) {
    fmt::print("going on: {} done before\n", count_text(counts.ended(), "trial"));
  }
  std::fflush(stdout);
}

ExitCode print_end(const orchestrator::TrialCounts& counts, bool all_done, const Task& task,
                   Clock::duration elapsed) {
  if (counts.ended() < counts.total() || !all_done) {
    fmt::print(
        "interrupted: {} of {} done{}, all results are in {}\n"
        "To go on, run the same command again.\n",
        counts.ended(), count_text(counts.total(), "trial"),
        counts.ended() == counts.total() ? " but not the test split" : "", task.database.string());
    return ExitCode::interrupted;
  }
  fmt::print("done in {}: {} finished, {} diverged, {} failed\n",
             duration_text(std::chrono::duration<double>(elapsed).count()), counts.finished,
             counts.diverged, counts.failed);
  return counts.failed > 0 ? ExitCode::trials_failed : ExitCode::success;
}

std::unique_ptr<FinalWork> final_work(const RunRequest& request, const Task& task,
                                      const SweepInputs& inputs, const Place& place,
                                      results::SweepStore& store) {
  TestSplitOptions test{
      .database = request.options.database,
      .trainer = inputs.file.trainer ? "" : place.agent.trainer_command.front(),
      .data = data_for_trainers(inputs),
      .device = place.agent.hello.device,
      .threads = inputs.file.sweep.execution.threads.value_or(place.agent.hello.threads)};
  if (task.database == request.options.database) {
    return std::make_unique<TestSplit>(std::move(test), store);
  }
  return std::make_unique<Gathering>(
      Gathering::Options{.share = *request.share,
                         .plan = inputs.plan,
                         .provenance = collect_provenance(inputs.file, inputs.data),
                         .test = std::move(test)});
}

ExitCode train(const RunRequest& request, const SweepInputs& inputs, const Task& task,
               const Place& place, cluster::Transport& transport, orchestrator::Agent& agent) {
  const RunOptions& options = request.options;
  const auto store = results::SqliteStore::open_for_sweep(
      task.database, task.plan, collect_provenance(inputs.file, inputs.data),
      {.journal = choose_journal(options)});
  std::vector<results::Change> leaks;
  for (const std::string& leak : inputs.leakage) {
    leaks.emplace_back(results::EventNoted{.kind = "leakage", .rank = 0, .message = leak});
  }
  if (!leaks.empty()) {
    store->commit(leaks);
  }
  const sweeps::Plan plan = settle(task, inputs, options, place, transport.size(), *store);
  const Clock::time_point start = Clock::now();
  ProgressDisplay display(task.plan, start);
  orchestrator::Coordinator coordinator(plan,
                                        {.execution = inputs.file.sweep.execution,
                                         .data = data_for_trainers(inputs),
                                         .checkpoint_folder = checkpoint_folder(options.database),
                                         .deadline = deadline_of_job(),
                                         .trainer = inputs.file.trainer},
                                        transport, *store, display);
  print_start(inputs, transport.size(), coordinator.ledger().counts());
  std::optional<results::Publisher> publisher;
  if (!options.publish.empty()) {
    publisher.emplace(task.database, options.publish);
  }
  const auto warn = [](const std::string& text) {
    if (!text.empty()) fmt::print(stderr, "warning: {}\n", text);
  };
  const std::unique_ptr<FinalWork> last = final_work(request, task, inputs, place, *store);
  coordinator.keep_ranks(!last->done());
  try {
    orchestrator::run_rank(transport, agent, &coordinator, [&](Clock::time_point now) {
      display.tick(now, coordinator.ledger());
      if (publisher) warn(publisher->publish_if_due(now));
      if (coordinator.ledger().complete() && !last->done()) {
        last->advance();
        coordinator.keep_ranks(!last->done());
      }
    });
  } catch (const orchestrator::TooFewDevices& error) {
    throw CommandError(ExitCode::bad_input,
                       fmt::format("{}: {}", options.sweep_file.string(), error.what()));
  }
  if (publisher) warn(publisher->publish());
  if (const std::string passes = display.base_passes_text(); !passes.empty()) {
    fmt::print("{}\n", passes);
  }
  return print_end(coordinator.ledger().counts(), last->done(), task, Clock::now() - start);
}

ExitCode coordinate(const RunRequest& request, const Place& place, cluster::Transport& transport,
                    orchestrator::Agent& agent) {
  const RunOptions& options = request.options;
  const SweepInputs inputs = load_inputs(options.sweep_file, place.agent.trainer_command.front(),
                                         options.small ? Extent::small : Extent::whole);
  const Task task = request.share ? task_of_share(inputs.plan, options.database, *request.share)
                                  : Task{.plan = inputs.plan, .database = options.database};
  const ExitCode code = train(request, inputs, task, place, transport, agent);
  const bool all_in_one = !request.share || remove_gathered_shares(inputs.plan, options.database);
  if (code != ExitCode::interrupted && all_in_one) {
    fmt::print("To see the ranking: ranksweep rank {}\n", options.database.string());
  }
  return code;
}

volatile std::sig_atomic_t final_code = 0;

// MPI_Finalize waits for every rank; with one of them lost, each leaves without it. One may be lost
// even now, so the wait is as long as a lease.
ExitCode leave_together(ExitCode code, const orchestrator::Agent& agent) {
  final_code = static_cast<int>(code);
  std::fflush(nullptr);
  if (agent.ranks_lost()) {
    std::_Exit(final_code);
  }
  std::signal(SIGALRM, [](int) { std::_Exit(final_code); });
  ::alarm(static_cast<unsigned>(std::ceil(agent.lease().count())));
  return code;
}

ExitCode run(const RunRequest& request) {
  const RunOptions& options = request.options;
  cluster::catch_stop_signals();
  cluster::undo_launcher_binding();
  const Ranks ranks = start_ranks(options.device);
  cluster::Transport& transport = *ranks.transport;
  orchestrator::Hello hello;
  try {
    hello = choose_device(ranks, options);
  } catch (const CommandError&) {
    if (transport.rank() == cluster::kCoordinatorRank) throw;
    return ExitCode::success;  // rank 0 tells, and has the exit code
  }
  const std::filesystem::path trainer = find_trainer();
  set_trainer_environment();
  std::optional<ScratchFolder> scratch;
  if (!options.scratch.empty()) {
    scratch.emplace(options.scratch);
  }
  const Place place{.agent = {.trainer_command = {trainer.string()}, .hello = hello},
                    .ranks_on_node = ranks.on_node};
  orchestrator::Agent agent(place.agent, transport);
  if (transport.rank() != cluster::kCoordinatorRank) {
    orchestrator::run_rank(transport, agent, nullptr, {});
    scratch.reset();
    return leave_together(ExitCode::success, agent);
  }
  ExitCode code = ExitCode::success;
  try {
    code = coordinate(request, place, transport, agent);
  } catch (...) {
    orchestrator::dismiss_all_ranks(transport, agent);
    code = tell_error();
  }
  if (!options.exit_code_file.empty()) {
    std::ofstream(options.exit_code_file) << static_cast<int>(code) << '\n';
  }
  scratch.reset();
  return leave_together(code, agent);
}

}  // namespace

void add_run_command(CLI::App& app, ExitCode& result) {
  auto request = std::make_shared<RunRequest>();
  CLI::App* command = app.add_subcommand(
      "run", "Run a sweep, or go on with one. Start it by mpirun to use several ranks");
  add_run_options(*command, request->options);
  add_share_option(
      *command, request->share,
      "I/N: train the I-th of N equal shares, apart from the others; whichever is done "
      "last makes the database");
  command->callback([request, &result] { result = run(*request); });
}

}  // namespace ranksweep::cli
