#include "tools/cli/measurements.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "orchestrator/coordinator.h"
#include "results/sqlite_store.h"
#include "tools/make_faces/make_faces.h"
#include "worker/data/data_set.h"
#include "worker/data/file_bytes.h"
#include "worker/data/image.h"

namespace ranksweep::cli {
namespace {

using orchestrator::Clock;

// Calls `body`, which returns how many things it did, until time is up or it does nothing more.
// Returns how many a second.
template <typename Body>
double rate_of(double seconds, Body body) {
  const auto start = Clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  double done = 0;
  while (elapsed() < seconds) {
    const auto more = static_cast<double>(body());
    if (more == 0) break;
    done += more;
  }
  return done / elapsed();
}

sweeps::Plan plan_of(int trials) {
  sweeps::Plan plan{.sweep_name = "bench", .data_fingerprint = "none", .swept = {"seed"}};
  for (int seed = 0; seed < trials; ++seed) {
    sweeps::TrialSpec spec;
    spec.architecture = "simple_cnn";
    spec.epochs = 1;
    spec.seed = seed;
    plan.trials.push_back({.id = sweeps::identify(spec, plan.data_fingerprint), .spec = spec});
  }
  return plan;
}

std::unique_ptr<results::SqliteStore> open_store(const std::filesystem::path& file,
                                                 const sweeps::Plan& plan) {
  return results::SqliteStore::open_for_sweep(
      file, plan, {.source = "name: bench", .data_path = "none", .classes = {"a", "b"}});
}

sweeps::EpochMetrics metrics_of(int epoch) {
  return {.epoch = epoch,
          .seconds = 1e-3,
          .train_images = 1,
          .val_images = 1,
          .val_classes_predicted = 2};
}

// Agents in memory, whose trainers take no time.
class InstantAgents : public cluster::Transport {
 public:
  explicit InstantAgents(int ranks) : ranks_(ranks) {
    for (cluster::Rank rank = 0; rank < ranks; ++rank) {
      answer(rank, orchestrator::Hello{.host = "memory", .device = "cpu", .threads = 1});
    }
  }
  cluster::Rank rank() const override { return 0; }
  int size() const override { return ranks_; }
  void send(cluster::Rank to, std::string body) override {
    const auto message = orchestrator::decode_coordinator_message(body);
    const auto* command = std::get_if<cluster::Command>(&message);
    if (command == nullptr) return;
    if (const auto* assign = std::get_if<cluster::Assign>(command)) {
      answer(to, cluster::Report(cluster::Started{.attempt = assign->attempt, .parameters = 1}));
      answer(to, cluster::Report(
                     cluster::EpochDone{.attempt = assign->attempt, .metrics = metrics_of(1)}));
    } else if (const auto* verdict = std::get_if<cluster::Verdict>(command)) {
      answer(to, cluster::Report(cluster::Finished{verdict->attempt}));
    }
  }
  std::optional<cluster::Envelope> receive() override {
    if (answers_.empty()) return std::nullopt;
    cluster::Envelope envelope = std::move(answers_.front());
    answers_.pop_front();
    return envelope;
  }

 private:
  void answer(cluster::Rank from, const orchestrator::AgentMessage& message) {
    answers_.push_back({.from = from, .body = orchestrator::encode(message)});
  }

  int ranks_;
  std::deque<cluster::Envelope> answers_;
};

class Counter : public orchestrator::ProgressListener {
 public:
  int ended = 0;

  void rank_joined(cluster::Rank, const orchestrator::Placement&) override {}
  void attempt_started(cluster::Rank, const orchestrator::TrialRecord&, int) override {}
  void progressed(cluster::Rank, const orchestrator::TrialRecord&,
                  const cluster::Progress&) override {}
  void base_ran(const cluster::BasePasses&) override {}
  void epoch_done(cluster::Rank, const orchestrator::TrialRecord&) override {}
  void attempt_ended(cluster::Rank, const orchestrator::TrialRecord&,
                     const orchestrator::Ending&) override {
    ++ended;
  }
  void rank_quarantined(cluster::Rank, const std::string&) override {}
  void storage_troubled(const std::string&) override {}
  void storage_recovered() override {}
};

}  // namespace

double decoded_images_per_second(const std::filesystem::path& folder, double seconds) {
  constexpr int kSide = 150;
  make_faces::make_faces({.folder = folder / "faces", .persons = 4});
  sweeps::DataSpec data;
  data.path = std::filesystem::absolute(folder / "faces");
  std::vector<std::vector<std::uint8_t>> files;
  for (const worker::Sample& sample : worker::list_data_set(data).train) {
    files.push_back(worker::read_file(sample.path));
  }
  return rate_of(seconds, [&] {
    for (const auto& bytes : files) worker::decode_image(bytes, kSide, kSide);
    return files.size();
  });
}

double commits_per_second(const std::filesystem::path& folder, double seconds) {
  const sweeps::Plan plan = plan_of(1);
  const auto store = open_store(folder / "commits.db", plan);
  const sweeps::TrialId& trial = plan.trials.front().id;
  const auto commit = [&](results::Change change) { store->commit({&change, 1}); };
  commit(results::AttemptStarted{
      .attempt = 1, .trial = trial, .rank = 0, .host = "memory", .device = "cpu", .threads = 1});
  int epoch = 0;
  return rate_of(seconds, [&] {
    commit(results::EpochRecorded{.attempt = 1, .trial = trial, .metrics = metrics_of(++epoch)});
    return 1;
  });
}

double trials_per_second(const std::filesystem::path& folder, double seconds) {
  constexpr int kRanks = 8;
  constexpr int kTrials = 10'000;
  const sweeps::Plan plan = plan_of(kTrials);
  const auto store = open_store(folder / "trials.db", plan);
  InstantAgents agents(kRanks);
  Counter counter;
  orchestrator::CoordinatorOptions options;
  options.checkpoint_folder = folder / "trials.checkpoints";
  orchestrator::Coordinator coordinator(plan, options, agents, *store, counter);
  return rate_of(seconds, [&] {
    const int before = counter.ended;
    while (counter.ended == before && !coordinator.done()) {
      const Clock::time_point now = Clock::now();
      while (const auto envelope = agents.receive()) {
        coordinator.receive(envelope->from, orchestrator::decode_agent_message(envelope->body),
                            now);
      }
      coordinator.flush(now);
    }
    return counter.ended - before;
  });
}

}  // namespace ranksweep::cli
