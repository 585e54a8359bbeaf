#include "orchestrator/ledger.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "orchestrator/early_stopping.h"

namespace ranksweep::orchestrator {
namespace {

using sweeps::AttemptOutcome;
using sweeps::TrialState;

int& count_of(TrialCounts& counts, TrialState state) {
  switch (state) {
    case TrialState::pending:
      return counts.pending;
    case TrialState::running:
      return counts.running;
    case TrialState::finished:
      return counts.finished;
    case TrialState::diverged:
      return counts.diverged;
    case TrialState::failed:
      break;
  }
  return counts.failed;
}

double work_done_of(const TrialRecord& record) {
  const bool open = record.state == TrialState::pending || record.state == TrialState::running;
  const double epochs = record.planned->spec.epochs;
  return record.planned->cost * (open ? static_cast<double>(record.epochs.size()) / epochs : 1);
}

bool counts_as_failure(AttemptOutcome outcome) {
  return outcome == AttemptOutcome::failed || outcome == AttemptOutcome::lost;
}

}  // namespace

Ledger::Ledger(const sweeps::Plan& plan, const std::vector<results::StoredTrial>& stored,
               int max_attempts)
    : max_attempts_(max_attempts), waiting_(plan) {
  if (stored.size() != plan.trials.size()) {
    throw std::logic_error("the store and the plan have different trials");
  }
  records_.reserve(stored.size());
  for (std::size_t trial = 0; trial < stored.size(); ++trial) {
    const results::StoredTrial& known = stored[trial];
    records_.push_back({.planned = &plan.trials[trial],
                        .state = known.state,
                        .failed_attempts = known.failed_attempts,
                        .out_of_memory = known.out_of_memory,
                        .attempt = known.open_attempt,
                        .epochs = known.epochs});
    work_ += plan.trials[trial].cost;
    count(records_.back(), 1);
    if (known.state == TrialState::pending) {
      wait(records_.back());
    } else if (known.state == TrialState::running) {
      cut_off_.push_back(trial);
    }
  }
}

std::vector<results::Change> Ledger::recover() {
  std::vector<results::Change> changes;
  for (const std::size_t trial : cut_off_) {
    TrialRecord& record = records_[trial];
    const sweeps::AttemptId attempt = record.attempt.value();
    running_[attempt] = trial;
    changes.push_back(end_of(record, attempt,
                             {.outcome = AttemptOutcome::interrupted,
                              .cause = "the sweep ended abruptly",
                              .message = "found unfinished when the sweep went on",
                              .output_tail = ""}));
  }
  cut_off_.clear();
  return changes;
}

std::optional<std::size_t> Ledger::trial_of(sweeps::AttemptId attempt) const {
  const auto found = running_.find(attempt);
  return found == running_.end() ? std::nullopt : std::optional(found->second);
}

results::Change Ledger::start(std::size_t trial, sweeps::AttemptId attempt,
                              const Placement& placement) {
  TrialRecord& record = records_.at(trial);
  apply(record, TrialEvent::dispatched);
  record.attempt = attempt;
  running_[attempt] = trial;
  waiting_.start(trial, placement.host);
  return results::AttemptStarted{.attempt = attempt,
                                 .trial = record.planned->id,
                                 .rank = placement.rank,
                                 .host = placement.host,
                                 .device = placement.device,
                                 .threads = placement.threads};
}

std::optional<results::Change> Ledger::rewind(sweeps::AttemptId attempt, int last_kept) {
  TrialRecord& record = running(attempt);
  if (last_kept < 0) {
    throw std::invalid_argument(fmt::format("no trial resumes from epoch {}", last_kept));
  }
  if (record.epochs.size() <= static_cast<std::size_t>(last_kept)) {
    return std::nullopt;
  }
  change(record, [&] { record.epochs.resize(static_cast<std::size_t>(last_kept)); });
  return results::EpochsDiscarded{.trial = record.planned->id, .last_kept = last_kept};
}

void Ledger::set_parameters(sweeps::AttemptId attempt, std::int64_t parameters) {
  running(attempt).parameters = parameters;
}

results::Change Ledger::add_epoch(sweeps::AttemptId attempt, const sweeps::EpochMetrics& metrics,
                                  std::map<std::string, double> own_metrics) {
  TrialRecord& record = running(attempt);
  const int expected = static_cast<int>(record.epochs.size()) + 1;
  if (metrics.epoch != expected) {
    throw std::invalid_argument(
        fmt::format("epoch {} was reported where epoch {} was due", metrics.epoch, expected));
  }
  change(record, [&] { record.epochs.push_back(metrics); });
  waiting_.measure(running_.at(attempt), metrics.seconds);
  return results::EpochRecorded{.attempt = attempt,
                                .trial = record.planned->id,
                                .metrics = metrics,
                                .own_metrics = std::move(own_metrics)};
}

results::Change Ledger::keep_predictions(std::size_t trial, int epoch,
                                         const sweeps::Predictions& predictions) const {
  const TrialRecord& record = records_.at(trial);
  if (decision(record) != cluster::Decision::stop) {
    throw std::invalid_argument("predictions were sent before the trial was complete");
  }
  const auto best =
      std::ranges::min_element(record.epochs, std::ranges::less(), &sweeps::EpochMetrics::val_loss);
  if (epoch != best->epoch || predictions.images != best->val_images) {
    throw std::invalid_argument(
        fmt::format("predictions are of epoch {} and {} images, where epoch {} and {} were due",
                    epoch, predictions.images, best->epoch, best->val_images));
  }
  return results::PredictionsKept{
      .trial = record.planned->id, .epoch = epoch, .predictions = predictions};
}

cluster::Decision Ledger::decision(const TrialRecord& record) const {
  const sweeps::TrialSpec& spec = record.planned->spec;
  return decide(spec.epochs, spec.early_stopping, record.epochs);
}

results::Change Ledger::end(sweeps::AttemptId attempt, const Ending& ending) {
  TrialRecord& record = running(attempt);
  waiting_.stop(index_of(record));
  return end_of(record, attempt, ending);
}

results::Change Ledger::end_of(TrialRecord& record, sweeps::AttemptId attempt,
                               const Ending& ending) {
  const bool failure = counts_as_failure(ending.outcome);
  const int failed_attempts = record.failed_attempts + (failure ? 1 : 0);
  TrialEvent event = TrialEvent::interrupted;
  if (ending.outcome == AttemptOutcome::finished) {
    event = TrialEvent::finished;
  } else if (ending.outcome == AttemptOutcome::diverged) {
    event = TrialEvent::diverged;
  } else if (failure) {
    event = failed_attempts >= max_attempts_ ? TrialEvent::given_up : TrialEvent::attempt_broken;
  }
  apply(record, event);
  record.failed_attempts = failed_attempts;
  if (ending.cause == sweeps::kOutOfMemory) ++record.out_of_memory;
  record.attempt.reset();
  running_.erase(attempt);
  return results::AttemptEnded{.attempt = attempt,
                               .trial = record.planned->id,
                               .outcome = ending.outcome,
                               .trial_state = record.state,
                               .cause = ending.cause,
                               .message = ending.message,
                               .stderr_tail = ending.output_tail,
                               .parameters = record.parameters};
}

void Ledger::forget_epochs(std::size_t trial) {
  TrialRecord& record = records_.at(trial);
  if (record.state == TrialState::finished || record.state == TrialState::diverged) {
    record.epochs = {};
  }
}

results::Change Ledger::excuse(std::size_t trial, sweeps::AttemptId attempt) {
  TrialRecord& record = records_.at(trial);
  if (record.failed_attempts == 0) {
    throw std::logic_error(fmt::format("no attempt counts against trial {}, so none can be excused",
                                       record.planned->id.short_hex()));
  }
  --record.failed_attempts;
  if (record.state == TrialState::failed && record.failed_attempts < max_attempts_) {
    apply(record, TrialEvent::excused);
  }
  return results::AttemptExcused{
      .attempt = attempt, .trial = record.planned->id, .trial_state = record.state};
}

TrialRecord& Ledger::running(sweeps::AttemptId attempt) {
  const auto found = running_.find(attempt);
  if (found == running_.end()) {
    throw std::logic_error(fmt::format("attempt {} does not run", attempt));
  }
  return records_[found->second];
}

void Ledger::apply(TrialRecord& record, TrialEvent event) {
  const std::optional<TrialState> next = next_state(record.state, event);
  if (!next) {
    throw std::logic_error(fmt::format("trial {} is {} and cannot change so",
                                       record.planned->id.short_hex(),
                                       sweeps::name_of(record.state)));
  }
  change(record, [&] { record.state = *next; });
  if (record.state == TrialState::pending) {
    wait(record);
  }
}

void Ledger::change(TrialRecord& record, const std::function<void()>& mutate) {
  count(record, -1);
  mutate();
  count(record, 1);
}

void Ledger::count(const TrialRecord& record, int sign) {
  count_of(counts_, record.state) += sign;
  work_done_ += sign * work_done_of(record);
}

void Ledger::wait(const TrialRecord& record) {
  const double known = static_cast<double>(record.epochs.size());
  waiting_.add(index_of(record), 1 - known / record.planned->spec.epochs);
}

std::size_t Ledger::index_of(const TrialRecord& record) const {
  return static_cast<std::size_t>(&record - records_.data());
}

}  // namespace ranksweep::orchestrator
