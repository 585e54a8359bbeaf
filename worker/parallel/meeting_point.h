#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace ranksweep::worker {

inline constexpr int kMostMembers = 64;

// In shared memory, all zeros at first: how often each member has come.
struct Arrivals {
  struct alignas(64) Count {
    std::atomic<std::uint32_t> value;
  };
  alignas(64) std::atomic<std::uint32_t> bell;  // changes whenever somebody comes
  std::array<Count, kMostMembers> of_member;
};

// Where the members of a group wait for one another: nobody leaves a meeting before all have come
// to it. One thread of each member.
class MeetingPoint {
 public:
  MeetingPoint(Arrivals& arrivals, int member, int members)
      : arrivals_(arrivals), member_(member), members_(members) {}

  // Throws GroupBroken, naming who did not come, after `limit`; without one it waits on. Throws
  // GroupBroken too once `given_up` is true, which may take a twentieth of a second to be seen.
  void meet(std::optional<std::chrono::duration<double>> limit, const std::atomic<bool>& given_up);

 private:
  int first_missing() const;  // members_ when all are there

  Arrivals& arrivals_;
  int member_;
  int members_;
  std::uint32_t round_ = 0;
};

}  // namespace ranksweep::worker
