#include "orchestrator/commit_queue.h"

#include <algorithm>

namespace ranksweep::orchestrator {
namespace {

constexpr std::chrono::milliseconds kPauseBetweenTries{500};

}  // namespace

CommitQueue::CommitQueue(cluster::Transport& transport, results::SweepStore& store,
                         ProgressListener& listener)
    : transport_(transport), store_(store), listener_(listener) {}

void CommitQueue::remember(results::Change change) { changes_.push_back(std::move(change)); }

void CommitQueue::post(cluster::Rank to, std::string wire, Promise promise) {
  outbox_.push_back({.to = to, .wire = std::move(wire), .promise = promise});
}

void CommitQueue::announce(std::function<void()> announcement) {
  announcements_.push_back(std::move(announcement));
}

void CommitQueue::flush(Clock::time_point now) {
  if (!commit(now)) {
    send_what_promises_nothing();
    return;
  }
  for (Message& message : outbox_) {
    transport_.send(message.to, std::move(message.wire));
  }
  outbox_.clear();
  for (const auto& announcement : announcements_) {
    announcement();
  }
  announcements_.clear();
}

bool CommitQueue::commit(Clock::time_point now) {
  if (changes_.empty()) {
    return true;
  }
  if (trouble_ && (!trouble_->may_pass || now < next_try_)) {
    return false;
  }
  try {
    store_.commit(changes_);
  } catch (const results::StoreUnavailable& error) {
    complain(now, error.what(), true);
    return false;
  } catch (const results::StoreError& error) {
    complain(now, error.what(), false);
    return false;
  }
  changes_.clear();
  if (trouble_) {
    trouble_.reset();
    listener_.storage_recovered();
  }
  return true;
}

void CommitQueue::complain(Clock::time_point now, const std::string& message, bool may_pass) {
  next_try_ = now + kPauseBetweenTries;
  if (!trouble_ || trouble_->message != message) {
    listener_.storage_troubled(message);
  }
  trouble_ = {.since = trouble_ ? trouble_->since : now, .message = message, .may_pass = may_pass};
}

// A message never overtakes an earlier one to the same rank.
void CommitQueue::send_what_promises_nothing() {
  std::set<cluster::Rank> waiting;
  std::erase_if(outbox_, [&](Message& message) {
    if (message.promise == Promise::committed || waiting.contains(message.to)) {
      waiting.insert(message.to);
      return false;
    }
    transport_.send(message.to, std::move(message.wire));
    return true;
  });
}

std::set<cluster::Rank> CommitQueue::recipients() const {
  std::set<cluster::Rank> ranks;
  for (const Message& message : outbox_) {
    ranks.insert(message.to);
  }
  return ranks;
}

std::vector<std::pair<cluster::Rank, std::string>> CommitQueue::withdraw() {
  std::vector<std::pair<cluster::Rank, std::string>> messages;
  for (Message& message : outbox_) {
    messages.emplace_back(message.to, std::move(message.wire));
  }
  outbox_.clear();
  return messages;
}

}  // namespace ranksweep::orchestrator
