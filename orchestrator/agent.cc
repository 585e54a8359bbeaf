#include "orchestrator/agent.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace ranksweep::orchestrator {

using sweeps::AttemptOutcome;

namespace {

constexpr std::chrono::seconds kHeartbeatInterval{1};

}  // namespace

Agent::Agent(AgentOptions options, cluster::Transport& transport)
    : options_(std::move(options)), transport_(transport) {
  send(options_.hello);
}

void Agent::receive(const CoordinatorMessage& message, Clock::time_point now) {
  std::visit([&](const auto& content) { handle(content, now); }, message);
}

void Agent::handle(const cluster::Command& command, Clock::time_point) {
  if (const auto* assign = std::get_if<cluster::Assign>(&command)) {
    attempt_ = assign->attempt;
    if (!make_folder(assign->directory)) {
      return;
    }
    start_trainer_if_needed();
  }
  if (trainer_ != nullptr) {
    trainer_->send(command);
  }
}

void Agent::handle(const Abandon& abandon, Clock::time_point) {
  report_broken(abandon.attempt, AttemptOutcome::lost, abandon.cause, abandon.message);
  if (attempt_ == abandon.attempt) {
    attempt_.reset();
  }
  trainer_.reset();
}

void Agent::handle(const Shutdown& shutdown, Clock::time_point now) {
  leaving_ = true;
  ranks_lost_ = shutdown.ranks_lost;
  leave_by_ = now + std::chrono::duration_cast<Clock::duration>(options_.shutdown_grace);
  if (trainer_ != nullptr) {
    trainer_->close();
  }
}

void Agent::handle(const LeaseRenewed& renewed, Clock::time_point now) {
  if (!coordinator_lease_) {
    coordinator_lease_.emplace(std::chrono::duration<double>(renewed.seconds));
  }
  coordinator_lease_->renew(now);
}

// What this rank trained has been called lost, and another rank may train it by now.
void Agent::handle(const Rejoin&, Clock::time_point) {
  attempt_.reset();
  trainer_.reset();
  send(options_.hello);
}

void Agent::handle(const UseTrainer& use, Clock::time_point) {
  options_.trainer_command = use.command;
  trainer_folder_ = use.folder;
}

void Agent::keep_leases(Clock::time_point now) {
  if (now - last_heartbeat_ >= kHeartbeatInterval) {
    last_heartbeat_ = now;
    send(Heartbeat{});
  }
  if (coordinator_lease_ && coordinator_lease_->expired(now)) {
    coordinator_lost_ = true;
    trainer_.reset();
  }
}

bool Agent::step(Clock::time_point now) {
  if (!leaving_) {
    keep_leases(now);
  }
  if (trainer_ == nullptr) {
    return false;
  }
  bool spoke = false;
  // Asked first: what a trainer wrote before it died is then read to the end.
  const std::optional<cluster::ExitStatus> exit = trainer_->exit_status();
  try {
    std::vector<cluster::Report> reports;
    do {
      reports = trainer_->exchange();
      spoke = spoke || !reports.empty();
      for (const cluster::Report& report : reports) {
        pass_on(report);
      }
    } while (exit && !reports.empty());
  } catch (const cluster::ProtocolError& error) {
    drop_trainer("trainer protocol", error.what());
    return true;
  }
  if (exit) {
    drop_trainer(exit->describe(),
                 trainer_is_ready_
                     ? "the trainer ended in mid-trial"
                     : "the trainer ended before it said `ready`, which a trainer does first "
                       "(docs/trainer_protocol.md)");
  } else if (leaving_ && now >= leave_by_) {
    trainer_.reset();
  }
  return spoke;
}

std::vector<pollfd> Agent::poll_set() const {
  return trainer_ != nullptr ? trainer_->poll_set() : std::vector<pollfd>();
}

bool Agent::make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    report_broken(*std::exchange(attempt_, std::nullopt), AttemptOutcome::failed, kStorage,
                  fmt::format("{}: the folder for a trial's checkpoints cannot be made: {}",
                              folder.string(), error.message()));
  }
  return !error;
}

void Agent::start_trainer_if_needed() {
  if (trainer_ != nullptr) {
    return;
  }
  try {
    trainer_is_ready_ = false;
    trainer_ = std::make_unique<cluster::TrainerProcess>(options_.trainer_command, trainer_folder_);
  } catch (const std::system_error& error) {
    drop_trainer("trainer not started", error.what());
  }
}

void Agent::pass_on(const cluster::Report& report) {
  if (const auto* ready = std::get_if<cluster::Ready>(&report)) {
    if (ready->version != cluster::kProtocolVersion) {
      throw cluster::ProtocolError(
          fmt::format("{} speaks version {} of the protocol, not {}; take a version of one that "
                      "fits the other",
                      ready->program, ready->version, cluster::kProtocolVersion));
    }
    trainer_is_ready_ = true;
  }
  if (const auto* failed = std::get_if<cluster::Failed>(&report)) {
    if (attempt_ == failed->attempt) {
      attempt_.reset();
      report_broken(failed->attempt, AttemptOutcome::failed, failed->cause, failed->message);
    }
    return;
  }
  if (std::holds_alternative<cluster::Finished>(report) ||
      std::holds_alternative<cluster::Diverged>(report) ||
      std::holds_alternative<cluster::Stopped>(report)) {
    attempt_.reset();
  }
  send(report);
}

void Agent::drop_trainer(const std::string& cause, const std::string& message) {
  if (attempt_) {
    report_broken(*std::exchange(attempt_, std::nullopt), AttemptOutcome::lost, cause, message);
  }
  trainer_.reset();
}

void Agent::report_broken(sweeps::AttemptId attempt, AttemptOutcome outcome,
                          const std::string& cause, const std::string& message) {
  send(AttemptBroken{.attempt = attempt,
                     .outcome = outcome,
                     .cause = cause,
                     .message = message,
                     .output_tail = trainer_ != nullptr ? trainer_->output_tail() : std::string()});
}

void Agent::send(const AgentMessage& message) {
  transport_.send(cluster::kCoordinatorRank, encode(message));
}

}  // namespace ranksweep::orchestrator
