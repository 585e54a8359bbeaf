#include "tests/faults/instant_sweep.h"

#include <utility>

#include "results/sqlite_store.h"
#include "tests/faults/processor_time.h"

namespace ranksweep::testing {

InstantAgents::InstantAgents(int ranks) : ranks_(ranks) {
  for (cluster::Rank rank = 0; rank < ranks; ++rank) {
    answer(rank, orchestrator::Hello{.host = "node", .device = "cpu", .threads = 1});
  }
}

void InstantAgents::send(cluster::Rank to, std::string body) {
  heard_.emplace_back(to, std::move(body));
}

void InstantAgents::act(orchestrator::Clock::time_point now) {
  for (const auto& [rank, body] : std::exchange(heard_, {})) {
    hear(rank, orchestrator::decode_coordinator_message(body));
  }
  if (!last_heartbeat_ || now - *last_heartbeat_ >= std::chrono::seconds(1)) {
    last_heartbeat_ = now;
    for (cluster::Rank rank = 0; rank < ranks_; ++rank) answer(rank, orchestrator::Heartbeat{});
  }
}

void InstantAgents::hear(cluster::Rank to, const orchestrator::CoordinatorMessage& message) {
  const auto* command = std::get_if<cluster::Command>(&message);
  if (command == nullptr) {
    return;
  }
  if (const auto* assign = std::get_if<cluster::Assign>(command)) {
    training_[to] = *assign;
    answer(to, cluster::Report(cluster::Started{.attempt = assign->attempt,
                                                .resumed_from = assign->known_epochs,
                                                .parameters = 42}));
    report_epoch(to, assign->known_epochs + 1);
  } else if (const auto* verdict = std::get_if<cluster::Verdict>(command)) {
    const cluster::Assign& trained = training_.at(to);
    if (verdict->decision == cluster::Decision::stop) {
      answer(to, cluster::Report(cluster::Finished{verdict->attempt}));
    } else if (trained.spec.at("learning_rate").get<double>() == 0.003 &&
               lost_once_.insert(trained.trial.hex()).second) {
      answer(to, orchestrator::AttemptBroken{.attempt = verdict->attempt, .cause = "lost"});
    } else {
      report_epoch(to, verdict->epoch + 1);
    }
  } else if (const auto* stop = std::get_if<cluster::Stop>(command)) {
    answer(to, cluster::Report(cluster::Stopped{stop->attempt}));
  }
}

void InstantAgents::report_epoch(cluster::Rank from, int epoch) {
  const cluster::Assign& assign = training_.at(from);
  const double loss = assign.spec.at("learning_rate").get<double>() + 1.0 / epoch;
  answer(from, cluster::Report(cluster::EpochDone{.attempt = assign.attempt,
                                                  .metrics = {.epoch = epoch,
                                                              .train_loss = loss,
                                                              .train_accuracy = 0.5,
                                                              .val_loss = loss,
                                                              .val_accuracy = 0.5,
                                                              .train_images = 8,
                                                              .val_images = 4,
                                                              .val_classes_predicted = 2}}));
}

void InstantAgents::answer(cluster::Rank from, const orchestrator::AgentMessage& message) {
  answers_.push_back({.from = from, .body = orchestrator::encode(message)});
}

std::optional<cluster::Envelope> InstantAgents::receive() {
  if (answers_.empty()) {
    return std::nullopt;
  }
  cluster::Envelope envelope = std::move(answers_.front());
  answers_.pop_front();
  return envelope;
}

InstantSweepEnd run_instant_sweep(const sweeps::Plan& plan, const std::filesystem::path& path,
                                  orchestrator::ProgressListener& listener,
                                  const InstantSweepOptions& sweep) {
  InstantSweepEnd end;
  try {
    const auto store = results::SqliteStore::open_for_sweep(
        path, plan, {.source = "name: test", .data_path = "faces", .classes = {"a", "b"}},
        {.commit_timeout = std::chrono::milliseconds(5), .journal = sweep.journal});
    InstantAgents agents(sweep.ranks);
    orchestrator::CoordinatorOptions options;
    options.execution.storage_patience = sweep.storage_patience;
    options.checkpoint_folder = path.string() + ".checkpoints";
    orchestrator::Coordinator coordinator(plan, options, agents, *store, listener);
    orchestrator::Clock::time_point now;
    for (int turn = 1; !coordinator.done(); ++turn) {
      sweep.each_turn(turn);
      now += sweep.turn;
      agents.act(now);
      const double begin = processor_seconds();
      while (const auto envelope = agents.receive()) {
        coordinator.receive(envelope->from, orchestrator::decode_agent_message(envelope->body),
                            now);
      }
      coordinator.flush(now);
      end.coordinator_seconds += processor_seconds() - begin;
    }
  } catch (const results::StoreError& error) {
    end.stopped = error.what();
  }
  return end;
}

}  // namespace ranksweep::testing
