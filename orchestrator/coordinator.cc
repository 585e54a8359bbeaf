#include "orchestrator/coordinator.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include <fmt/format.h>

namespace ranksweep::orchestrator {

using sweeps::AttemptOutcome;

namespace {

constexpr const char* kProtocol = "trainer protocol";

}  // namespace

Coordinator::Coordinator(const sweeps::Plan& plan, CoordinatorOptions options,
                         cluster::Transport& transport, results::SweepStore& store,
                         ProgressListener& listener)
    : options_(std::move(options)),
      transport_(transport),
      store_(store),
      listener_(listener),
      ledger_(plan, store.load_trials(), options_.execution.max_attempts),
      next_attempt_(store.next_attempt()),
      changes_(ledger_.recover()) {
  commit_and_send();
}

void Coordinator::receive(cluster::Rank from, const AgentMessage& message, Clock::time_point now) {
  agents_[from].last_heard = now;
  std::visit([&](const auto& content) { handle(from, content); }, message);
}

void Coordinator::flush(Clock::time_point now) {
  abandon_silent_trainers(now);
  give_work(now);
  commit_and_send();
}

void Coordinator::commit_and_send() {
  if (!changes_.empty()) {
    store_.commit(changes_);
    changes_.clear();
  }
  for (auto& [to, wire] : outbox_) {
    transport_.send(to, std::move(wire));
  }
  outbox_.clear();
  for (const auto& announce : announcements_) {
    announce();
  }
  announcements_.clear();
}

void Coordinator::interrupt(const std::string& reason) {
  if (interrupted_) {
    return;
  }
  interrupted_ = true;
  note("interrupted", cluster::kCoordinatorRank, reason);
  for (const auto& [rank, agent] : agents_) {
    if (agent.attempt) {
      post(rank, cluster::Command(cluster::Stop{*agent.attempt}));
    }
  }
}

bool Coordinator::done() const {
  return static_cast<int>(agents_.size()) == transport_.size() &&
         std::all_of(agents_.begin(), agents_.end(),
                     [](const auto& entry) { return entry.second.dismissed; });
}

void Coordinator::handle(cluster::Rank from, const Hello& hello) {
  const Placement placement{
      .rank = from, .host = hello.host, .device = hello.device, .threads = hello.threads};
  agents_[from].placement = placement;
  note("joined", from,
       fmt::format("{} on {}, {} threads", hello.device, hello.host, hello.threads));
  announcements_.emplace_back([=, this] { listener_.rank_joined(from, placement); });
}

void Coordinator::handle(cluster::Rank from, const cluster::Report& report) {
  std::visit(
      [&](const auto& content) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(content)>, cluster::Ready>) {
          if (const auto trial = current_trial(from, content.attempt)) {
            handle(from, *trial, content);
          }
        }
      },
      report);
}

void Coordinator::handle(cluster::Rank from, const AttemptBroken& broken) {
  if (agents_.at(from).attempt == broken.attempt) {
    end_attempt(from, broken.attempt,
                {.outcome = broken.outcome,
                 .cause = broken.cause,
                 .message = broken.message,
                 .output_tail = broken.output_tail});
  }
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::Started& started) {
  try {
    // A resume state may be ahead of the store, when the coordinator died before it committed; the
    // trainer then reports the epochs in between again.
    if (const auto change = ledger_.rewind(started.attempt, started.resumed_from)) {
      changes_.push_back(*change);
    }
  } catch (const std::invalid_argument& error) {
    abandon(from, kProtocol, error.what());
    return;
  }
  ledger_.set_parameters(started.attempt, started.parameters);
  announcements_.emplace_back([=, this, resumed_from = started.resumed_from] {
    listener_.attempt_started(from, ledger_.record(trial), resumed_from);
  });
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::Progress& progress) {
  listener_.progressed(from, ledger_.record(trial), progress);
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::EpochDone& epoch) {
  try {
    changes_.push_back(ledger_.add_epoch(epoch.attempt, epoch.metrics));
  } catch (const std::invalid_argument& error) {
    abandon(from, kProtocol, error.what());
    return;
  }
  post(from, cluster::Command(cluster::Verdict{.attempt = epoch.attempt,
                                               .epoch = epoch.metrics.epoch,
                                               .decision = ledger_.decision(trial)}));
  announcements_.emplace_back([=, this] { listener_.epoch_done(from, ledger_.record(trial)); });
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::Finished& finished) {
  if (ledger_.decision(trial) != cluster::Decision::stop) {
    abandon(from, kProtocol, "the trainer called the trial finished before it was told to");
    return;
  }
  end_attempt(from, finished.attempt, {.outcome = AttemptOutcome::finished});
}

void Coordinator::handle(cluster::Rank from, std::size_t, const cluster::Diverged& diverged) {
  end_attempt(from, diverged.attempt,
              {.outcome = AttemptOutcome::diverged,
               .cause = fmt::format("loss not finite in epoch {}", diverged.epoch)});
}

void Coordinator::handle(cluster::Rank from, std::size_t, const cluster::Failed& failed) {
  end_attempt(
      from, failed.attempt,
      {.outcome = AttemptOutcome::failed, .cause = failed.cause, .message = failed.message});
}

void Coordinator::handle(cluster::Rank from, std::size_t, const cluster::Stopped& stopped) {
  end_attempt(from, stopped.attempt,
              {.outcome = AttemptOutcome::interrupted, .cause = "stopped on request"});
}

std::optional<std::size_t> Coordinator::current_trial(cluster::Rank from,
                                                      sweeps::AttemptId attempt) const {
  const AgentState& agent = agents_.at(from);
  return agent.attempt == attempt && !agent.abandoning ? ledger_.trial_of(attempt) : std::nullopt;
}

void Coordinator::end_attempt(cluster::Rank from, sweeps::AttemptId attempt, const Ending& ending) {
  const std::size_t trial = ledger_.trial_of(attempt).value();
  changes_.push_back(ledger_.end(attempt, ending));
  AgentState& agent = agents_.at(from);
  agent.attempt.reset();
  agent.abandoning = false;
  announcements_.emplace_back(
      [=, this] { listener_.attempt_ended(from, ledger_.record(trial), ending); });
}

void Coordinator::abandon(cluster::Rank from, const std::string& cause,
                          const std::string& message) {
  AgentState& agent = agents_.at(from);
  agent.abandoning = true;
  post(from, Abandon{.attempt = agent.attempt.value(), .cause = cause, .message = message});
}

void Coordinator::abandon_silent_trainers(Clock::time_point now) {
  const std::chrono::duration<double> limit(options_.execution.silence_limit);
  for (const auto& [rank, agent] : agents_) {
    if (agent.attempt && !agent.abandoning && now - agent.last_heard > limit) {
      abandon(rank, "no progress", fmt::format("the trainer said nothing for {} s", limit.count()));
    }
  }
}

void Coordinator::give_work(Clock::time_point now) {
  // A trial that runs may still break and want a rank again, so nobody leaves before the last ends.
  const bool nothing_left = ledger_.complete();
  for (auto& [rank, agent] : agents_) {
    if (agent.attempt || agent.dismissed) {
      continue;
    }
    const auto trial = ledger_.next();
    if (!interrupted_ && trial) {
      assign(rank, agent, *trial);
      agent.last_heard = now;
    } else if (interrupted_ || nothing_left) {
      agent.dismissed = true;
      post(rank, Shutdown{});
    }
  }
}

void Coordinator::assign(cluster::Rank rank, AgentState& agent, std::size_t trial) {
  const sweeps::AttemptId attempt = next_attempt_++;
  Placement placement = agent.placement;
  placement.threads = options_.execution.threads.value_or(placement.threads);
  changes_.push_back(ledger_.start(trial, attempt, placement));
  if (ledger_.decision(trial) == cluster::Decision::stop) {
    // All epochs are known, but the trainer was lost before it said that the best weights are safe.
    // The last epoch is due again, so that the next trainer hears its verdict.
    const int epochs = static_cast<int>(ledger_.record(trial).epochs.size());
    changes_.push_back(ledger_.rewind(attempt, epochs - 1).value());
  }
  agent.attempt = attempt;

  const TrialRecord& record = ledger_.record(trial);
  const std::filesystem::path folder = options_.checkpoint_folder / record.planned->id.hex();
  std::filesystem::create_directories(folder);
  post(rank, cluster::Command(
                 cluster::Assign{.attempt = attempt,
                                 .trial = record.planned->id,
                                 .spec = sweeps::to_canonical_json(record.planned->spec),
                                 .data = options_.data,
                                 .directory = folder.string(),
                                 .device = placement.device,
                                 .threads = placement.threads,
                                 .checkpoint_interval = options_.execution.checkpoint_interval,
                                 .known_epochs = static_cast<int>(record.epochs.size())}));
}

void Coordinator::post(cluster::Rank to, const CoordinatorMessage& message) {
  outbox_.emplace_back(to, encode(message));
}

void Coordinator::note(std::string kind, cluster::Rank rank, std::string message) {
  changes_.emplace_back(
      results::EventNoted{.kind = std::move(kind), .rank = rank, .message = std::move(message)});
}

}  // namespace ranksweep::orchestrator
