#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "worker/parallel/shared_memory_group.h"

namespace ranksweep::worker {

// Runs `work` as each member of a group at once, every one in a thread of its own, and throws what
// the first of them threw.
inline void as_members(int members, const std::function<void(GradientGroup&)>& work,
                       std::chrono::duration<double> time_limit = std::chrono::seconds(60)) {
  const SharedMemoryGroup::Options options{.members = members, .time_limit = time_limit};
  SharedMemoryGroup leader(options);
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(members));
  std::vector<std::thread> threads;
  for (int member = 0; member < members; ++member) {
    threads.emplace_back([&, member] {
      try {
        if (member == 0) {
          work(leader);
        } else {
          SharedMemoryGroup group(options, member, leader.token());
          work(group);
        }
      } catch (...) {
        failures[static_cast<std::size_t>(member)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace ranksweep::worker
