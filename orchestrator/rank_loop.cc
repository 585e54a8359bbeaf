#include "orchestrator/rank_loop.h"

#include <algorithm>
#include <cstdlib>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cluster/node.h"
#include "cluster/signals.h"

namespace ranksweep::orchestrator {
namespace {

using std::chrono::microseconds;

constexpr microseconds kShortestPause{50};
constexpr microseconds kLongestPause{10'000};

// How long a rank sleeps before it looks for messages again. What it just heard or sent is often
// followed by more, so pauses begin short and grow by half: an answer waits a third longer than it
// had to, at most.
class Pause {
 public:
  void restart() { length_ = kShortestPause; }

  // A word of the trainer's ends it.
  void wait(const Agent& agent) {
    auto descriptors = agent.poll_set();
    const timespec length{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(length_).count()};
    ::ppoll(descriptors.data(), descriptors.size(), &length, nullptr);
    length_ = std::min(length_ * 3 / 2, kLongestPause);
  }

 private:
  microseconds length_ = kShortestPause;
};

// A killed mpirun leaves its ranks alive, as children of another process. They must go too: the
// same command may already be starting the sweep again.
class LauncherWatch {
 public:
  bool gone() const { return launched_ && ::getppid() != launcher_; }

 private:
  bool launched_ = cluster::started_by_open_mpi();
  pid_t launcher_ = ::getppid();
};

// Returns whether there was any message.
bool deliver_messages(cluster::Transport& transport, Agent& agent, Coordinator* coordinator,
                      Clock::time_point now) {
  bool any = false;
  while (const auto envelope = transport.receive()) {
    any = true;
    if (recipient_of(envelope->body) == Recipient::agent) {
      agent.receive(decode_coordinator_message(envelope->body), now);
    } else if (coordinator != nullptr) {
      coordinator->receive(envelope->from, decode_agent_message(envelope->body), now);
    }
  }
  return any;
}

}  // namespace

void run_rank(cluster::Transport& transport, Agent& agent, Coordinator* coordinator,
              const std::function<void(Clock::time_point)>& tick) {
  const LauncherWatch launcher;
  Pause pause;
  while (!agent.done() || (coordinator != nullptr && !coordinator->done())) {
    if (launcher.gone() || agent.coordinator_lost()) {
      agent.kill_trainer();
      std::_Exit(EXIT_FAILURE);  // MPI would wait for the dead; the database needs no good-bye
    }
    const Clock::time_point now = Clock::now();
    const bool was_told = deliver_messages(transport, agent, coordinator, now);
    if (coordinator != nullptr) {
      if (const int signal = cluster::stop_signal()) {
        coordinator->interrupt(fmt::format("SIG{}", ::sigabbrev_np(signal)));
      }
      coordinator->flush(now);
    }
    const bool trainer_spoke = agent.step(now);
    if (tick) {
      tick(now);
    }
    if (was_told || trainer_spoke) {
      pause.restart();
    } else {
      pause.wait(agent);
    }
  }
}

void dismiss_all_ranks(cluster::Transport& transport, Agent& agent) {
  for (cluster::Rank rank = 0; rank < transport.size(); ++rank) {
    transport.send(rank, encode(CoordinatorMessage(Shutdown{})));
  }
  run_rank(transport, agent, nullptr, {});
}

}  // namespace ranksweep::orchestrator
