#include "orchestrator/coordinator.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include <fmt/format.h>

#include "orchestrator/silence_limit.h"

namespace ranksweep::orchestrator {

using sweeps::AttemptOutcome;

namespace {

constexpr const char* kProtocol = "trainer protocol";

template <class Report>
constexpr bool kEndsAttempt =
    std::is_same_v<Report, cluster::Finished> || std::is_same_v<Report, cluster::Diverged> ||
    std::is_same_v<Report, cluster::Stopped>;

constexpr std::chrono::seconds kPatienceOnceInterrupted{5};
constexpr std::chrono::seconds kTimeToWriteStates{60};
// Far below any lease, and seldom beside the messages of a thousand ranks.
constexpr std::chrono::milliseconds kBetweenLooks{100};

}  // namespace

Coordinator::Coordinator(const sweeps::Plan& plan, CoordinatorOptions options,
                         cluster::Transport& transport, results::SweepStore& store,
                         ProgressListener& listener)
    : options_(std::move(options)),
      transport_(transport),
      listener_(listener),
      ledger_(plan, store.load_trials(), options_.execution.max_attempts),
      next_attempt_(store.next_attempt()),
      queue_(transport, store, listener) {
  for (results::Change& change : ledger_.recover()) {
    queue_.remember(std::move(change));
  }
  const Lease lease(std::chrono::duration<double>(options_.execution.lease));
  const Lease trainer(silence_limit(options_.execution.silence_limit, {}));
  for (cluster::Rank rank = 0; rank < transport.size(); ++rank) {
    agents_.emplace(rank, AgentState{.lease = lease, .trainer = trainer});
  }
  for (std::size_t trial = 0; trial < ledger_.size(); ++trial) {
    most_devices_wanted_ = std::max(most_devices_wanted_, devices_of(trial));
  }
}

void Coordinator::receive(cluster::Rank from, const AgentMessage& message, Clock::time_point now) {
  AgentState& agent = agents_.at(from);
  agent.lease.renew(now);
  if (!std::holds_alternative<Heartbeat>(message)) {
    agent.last_heard = now;
    agent.trainer.renew(now);
    renew_leader(agent, now);
  }
  std::visit([&](const auto& content) { handle(from, content); }, message);
}

void Coordinator::flush(Clock::time_point now) {
  begun_ = begun_.value_or(now);
  if (!last_look_ || now - *last_look_ >= kBetweenLooks) {
    last_look_ = now;
    give_up_silent_ranks(now);
    abandon_silent_trainers(now);
  }
  free_late_members(now);
  leave_when_too_late(now);
  check_that_plan_fits(now);
  give_work(now);
  queue_.flush(now);
  watch_storage(now);
  stop_without_devices();
  stop_without_room(now);
}

void Coordinator::watch_storage(Clock::time_point now) {
  const auto& trouble = queue_.trouble();
  if (trouble && storage_failure_.empty()) {
    std::chrono::duration<double> patience(options_.execution.storage_patience);
    if (interrupted_) {
      patience = std::min<std::chrono::duration<double>>(patience, kPatienceOnceInterrupted);
    }
    if (!trouble->may_pass || now - trouble->since >= patience) {
      storage_failure_ = trouble->message;
    }
  }
  if (storage_failure_.empty()) {
    return;
  }
  if (!leave_by_) {
    give_up_on_storage(now);
  }
  if (!anything_runs() || now >= *leave_by_) {
    throw results::StoreUnavailable(fmt::format(
        "{}\nThe sweep stopped; what was committed is safe. Mend this and run the same command "
        "again to go on.",
        storage_failure_));
  }
}

void Coordinator::give_up_on_storage(Clock::time_point now) {
  leave_by_ = now + kTimeToWriteStates;
  for (const auto& [rank, wire] : queue_.withdraw()) {
    // What was never assigned cannot answer. A trainer that waits for a verdict hears the stop.
    const CoordinatorMessage message = decode_coordinator_message(wire);
    const auto* command = std::get_if<cluster::Command>(&message);
    const auto* assign = command ? std::get_if<cluster::Assign>(command) : nullptr;
    if (assign != nullptr && agents_.at(rank).attempt == assign->attempt) {
      leave_attempt(rank, {.outcome = AttemptOutcome::interrupted, .cause = kStorage});
    }
  }
  interrupted_ = false;  // whom a signal has told to stop hears it twice, and does not mind
  interrupt(storage_failure_);
  queue_.flush(now);
}

void Coordinator::interrupt(const std::string& reason) {
  if (interrupted_) {
    return;
  }
  interrupted_ = true;
  note("interrupted", cluster::kCoordinatorRank, reason);
  for (const auto& [rank, agent] : agents_) {
    if (agent.attempt && agent.leads) {  // who tells the others
      post(rank, cluster::Command(cluster::Stop{*agent.attempt}));
    }
  }
}

bool Coordinator::done() const {
  return queue_.empty() && std::all_of(agents_.begin(), agents_.end(), [](const auto& entry) {
           return entry.second.dismissed || entry.second.given_up;
         });
}

bool Coordinator::anything_runs() const {
  return std::ranges::any_of(agents_,
                             [](const auto& entry) { return entry.second.attempt.has_value(); });
}

int Coordinator::ranks_lost() const {
  return static_cast<int>(std::count_if(agents_.begin(), agents_.end(),
                                        [](const auto& entry) { return entry.second.given_up; }));
}

void Coordinator::handle(cluster::Rank from, const Hello& hello) {
  if (const auto& trainer = options_.trainer) {
    post(from, UseTrainer{.command = trainer->command, .folder = trainer->folder.string()});
  }
  const Placement placement{
      .rank = from, .host = hello.host, .device = hello.device, .threads = hello.threads};
  AgentState& agent = agents_.at(from);
  agent.kept_group.reset();
  agent.placement = placement;
  agent.gpu = hello.gpu;
  agent.joined = true;
  agent.given_up = false;
  note("joined", from,
       fmt::format("{}{} on {}, {} threads", hello.device,
                   hello.gpu.name.empty() ? "" : fmt::format(" ({})", hello.gpu.name), hello.host,
                   hello.threads));
  queue_.announce([=, this] { listener_.rank_joined(from, placement); });
}

void Coordinator::handle(cluster::Rank from, const cluster::Report& report) {
  std::visit(
      [&]<class Content>(const Content& content) {
        if constexpr (!std::is_same_v<Content, cluster::Ready>) {
          AgentState& agent = agents_.at(from);
          if (const auto trial = current_trial(from, content.attempt);
              trial && (agent.leads || std::is_same_v<Content, cluster::Skipped>)) {
            handle(from, *trial, content);
          }
          // A member's good end frees its rank; the leader's decides about the attempt.
          if (kEndsAttempt<Content> && !agent.leads && agent.attempt == content.attempt &&
              !agent.abandoning) {
            agent.attempt.reset();
          }
        }
      },
      report);
}

void Coordinator::handle(cluster::Rank from, const AttemptBroken& broken) {
  if (agents_.at(from).attempt == broken.attempt) {
    leave_attempt(from, {.outcome = broken.outcome,
                         .cause = broken.cause,
                         .message = broken.message,
                         .output_tail = broken.output_tail});
  }
}

// Answered at once: a lease must not wait for a disk.
void Coordinator::handle(cluster::Rank from, const Heartbeat&) {
  const CoordinatorMessage answer =
      agents_.at(from).given_up ? CoordinatorMessage(Rejoin{})
                                : CoordinatorMessage(LeaseRenewed{options_.execution.lease});
  transport_.send(from, encode(answer));
}

void Coordinator::handle(cluster::Rank /*from*/, std::size_t /*trial*/,
                         const cluster::Skipped& skipped) {
  queue_.remember(results::FileSkipped{.file = skipped.file, .reason = skipped.reason});
}

void Coordinator::handle(cluster::Rank from, std::size_t /*trial*/,
                         const cluster::GroupToken& token) {
  for (const cluster::Rank rank : members(agents_.at(from), token.attempt)) {
    if (rank != from) {
      post(rank, cluster::Command(cluster::GroupReady{token.attempt, token.token}));
    }
  }
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::Started& started) {
  try {
    // A resume state may be ahead of the store, when the coordinator died before it committed; the
    // trainer then reports the epochs in between again.
    if (const auto change = ledger_.rewind(started.attempt, started.resumed_from)) {
      queue_.remember(*change);
    }
  } catch (const std::invalid_argument& error) {
    abandon(from, kProtocol, error.what());
    return;
  }
  ledger_.set_parameters(started.attempt, started.parameters);
  queue_.remember(results::AttemptDescribed{.attempt = started.attempt,
                                            .precision = started.precision,
                                            .memory_format = started.memory_format});
  queue_.announce([=, this, resumed_from = started.resumed_from] {
    listener_.attempt_started(from, ledger_.record(trial), resumed_from);
  });
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::Progress& progress) {
  AgentState& agent = agents_.at(from);
  // Epoch 0 is the pass of a frozen base, of which a stop leaves nothing.
  if (progress.epoch > 0 && agent.assigned) {
    longest_start_ = std::max(longest_start_, agent.last_heard - *agent.assigned);
    agent.assigned.reset();
  }
  listener_.progressed(from, ledger_.record(trial), progress);
}

void Coordinator::handle(cluster::Rank from, std::size_t trial, const cluster::EpochDone& epoch) {
  try {
    queue_.remember(ledger_.add_epoch(epoch.attempt, epoch.metrics, epoch.own_metrics));
  } catch (const std::invalid_argument& error) {
    abandon(from, kProtocol, error.what());
    return;
  }
  AgentState& agent = agents_.at(from);
  for (const cluster::Rank rank : members(agent, epoch.attempt)) {
    agents_.at(rank).health.did_well();
  }
  agent.longest_epoch = std::max(agent.longest_epoch.value_or(0), epoch.metrics.seconds);
  agent.trainer.set_length(silence_limit(options_.execution.silence_limit, agent.longest_epoch));
  post(from, cluster::Command(cluster::Verdict{.attempt = epoch.attempt,
                                               .epoch = epoch.metrics.epoch,
                                               .decision = ledger_.decision(trial)}));
  queue_.announce([=, this] { listener_.epoch_done(from, ledger_.record(trial)); });
}

void Coordinator::handle(cluster::Rank /*from*/, std::size_t /*trial*/,
                         const cluster::BasePasses& passes) {
  listener_.base_ran(passes);
}

void Coordinator::handle(cluster::Rank from, std::size_t trial,
                         const cluster::Predicted& predicted) {
  try {
    queue_.remember(ledger_.keep_predictions(trial, predicted.epoch, predicted.predictions));
  } catch (const std::invalid_argument& error) {
    abandon(from, kProtocol, error.what());
  }
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
  end_attempt(from, stopped.attempt, {.outcome = AttemptOutcome::interrupted, .cause = kStopped});
}

std::optional<std::size_t> Coordinator::current_trial(cluster::Rank from,
                                                      sweeps::AttemptId attempt) const {
  const AgentState& agent = agents_.at(from);
  return agent.attempt == attempt && !agent.abandoning ? ledger_.trial_of(attempt) : std::nullopt;
}

void Coordinator::post(cluster::Rank to, const CoordinatorMessage& message) {
  // A trainer's state on disk may be ahead of the store, since it reports its epochs again. So only
  // the end of a trial, whose state is deleted, and what the store must know first have to wait.
  bool promises = std::holds_alternative<Shutdown>(message);
  if (const auto* command = std::get_if<cluster::Command>(&message)) {
    const auto* verdict = std::get_if<cluster::Verdict>(command);
    promises = std::holds_alternative<cluster::Assign>(*command) ||
               (verdict != nullptr && verdict->decision == cluster::Decision::stop);
  }
  queue_.post(to, encode(message), promises ? Promise::committed : Promise::none);
}

void Coordinator::note(std::string kind, cluster::Rank rank, std::string message) {
  queue_.remember(
      results::EventNoted{.kind = std::move(kind), .rank = rank, .message = std::move(message)});
}

}  // namespace ranksweep::orchestrator
