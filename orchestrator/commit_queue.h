#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/transport.h"
#include "orchestrator/clock.h"
#include "orchestrator/progress_listener.h"
#include "results/sweep_store.h"

namespace ranksweep::orchestrator {

// Whether a message tells anybody that something is in the store.
enum class Promise { none, committed };

// What the coordinator wants remembered, and what it wants to say once that is durable. While the
// store is unavailable everything waits, in order, and the commit is tried again at later turns:
// nothing is lost. Only messages that promise nothing are sent meanwhile.
class CommitQueue {
 public:
  struct Trouble {
    Clock::time_point since;
    std::string message;
    bool may_pass = true;  // no: the file is damaged, or there is a defect
  };

  // All must outlive it.
  CommitQueue(cluster::Transport& transport, results::SweepStore& store,
              ProgressListener& listener);

  void remember(results::Change change);
  void post(cluster::Rank to, std::string wire, Promise promise);
  void announce(std::function<void()> announcement);  // to the listener, once durable

  // One transaction, then the messages. Blocks only as long as the store's commit does, and while
  // there is trouble only every half a second.
  void flush(Clock::time_point now);

  // Since the first commit of a row that did not work; none once a commit worked.
  const std::optional<Trouble>& trouble() const { return trouble_; }
  // Of the messages that wait.
  std::set<cluster::Rank> recipients() const;
  bool empty() const { return changes_.empty() && outbox_.empty(); }
  // Takes back the messages that wait. They will not be sent.
  std::vector<std::pair<cluster::Rank, std::string>> withdraw();

 private:
  struct Message {
    cluster::Rank to = 0;
    std::string wire;
    Promise promise = Promise::committed;
  };

  bool commit(Clock::time_point now);
  void complain(Clock::time_point now, const std::string& message, bool may_pass);
  void send_what_promises_nothing();

  cluster::Transport& transport_;
  results::SweepStore& store_;
  ProgressListener& listener_;
  std::vector<results::Change> changes_;
  std::vector<Message> outbox_;
  std::vector<std::function<void()>> announcements_;
  std::optional<Trouble> trouble_;
  Clock::time_point next_try_;
};

}  // namespace ranksweep::orchestrator
