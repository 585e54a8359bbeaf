#include "worker/parallel/meeting_point.h"

#include <climits>
#include <ctime>
#include <string>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {
namespace {

using Clock = std::chrono::steady_clock;

// Looks before a member goes to sleep: a few microseconds. Longer spinning would take the core from
// the very member that is waited for, where members share cores.
constexpr int kLooks = 500;
constexpr long kNapNanoseconds = 50'000'000;

// Not the private kind: the word is shared between processes.
void sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  const timespec nap{.tv_sec = 0, .tv_nsec = kNapNanoseconds};
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &nap, nullptr, 0);
}

void wake_all(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

// Counts go round; what matters is who is ahead.
int MeetingPoint::first_missing() const {
  for (int other = 0; other < members_; ++other) {
    const std::uint32_t count = arrivals_.of_member.at(static_cast<std::size_t>(other))
                                    .value.load(std::memory_order_acquire);
    if (static_cast<std::int32_t>(count - round_) < 0) return other;
  }
  return members_;
}

void MeetingPoint::meet(std::optional<std::chrono::duration<double>> limit,
                        const std::atomic<bool>& given_up) {
  ++round_;
  arrivals_.of_member.at(static_cast<std::size_t>(member_))
      .value.store(round_, std::memory_order_release);
  arrivals_.bell.fetch_add(1, std::memory_order_release);
  wake_all(arrivals_.bell);
  for (int look = 0; look < kLooks; ++look) {
    if (first_missing() == members_) return;
  }
  const auto begin = Clock::now();
  while (true) {
    const std::uint32_t bell = arrivals_.bell.load(std::memory_order_acquire);
    const int missing = first_missing();
    if (missing == members_) return;
    if (given_up) throw GroupBroken("the group was given up");
    if (limit && Clock::now() - begin > *limit) {
      throw GroupBroken("member " + std::to_string(missing) + " of the group did not come within " +
                        std::to_string(limit->count()) + " s");
    }
    sleep_while(arrivals_.bell, bell);
  }
}

}  // namespace ranksweep::worker
