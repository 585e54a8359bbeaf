#pragma once

#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>

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

// The same in processes of their own, as trainers are: Torch has one generator of random numbers
// for all threads. What fails in one of them is printed by it, and fails the test that called this.
inline void as_processes(int members, const std::function<void(GradientGroup&)>& work) {
  const SharedMemoryGroup::Options options{.members = members,
                                           .time_limit = std::chrono::seconds(60)};
  using Line = std::array<char, 256>;  // a write of it is whole
  std::array<int, 2> tokens{};
  ASSERT_EQ(::pipe(tokens.data()), 0);
  const auto run = [&](int member) {
    std::unique_ptr<SharedMemoryGroup> group;
    Line line{};
    if (member == 0) {
      group = std::make_unique<SharedMemoryGroup>(options);
      group->token().copy(line.data(), line.size() - 1);
      for (int other = 1; other < members; ++other) {
        ASSERT_EQ(::write(tokens[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
      }
    } else {
      ASSERT_EQ(::read(tokens[0], line.data(), line.size()), static_cast<ssize_t>(line.size()));
      group = std::make_unique<SharedMemoryGroup>(options, member, line.data());
    }
    work(*group);
  };
  std::vector<pid_t> children;
  for (int member = 0; member < members; ++member) {
    std::fflush(nullptr);
    children.push_back(::fork());
    if (children.back() != 0) continue;
    try {
      run(member);
    } catch (const std::exception& error) {
      ADD_FAILURE() << "member " << member << ": " << error.what();
    }
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "a member failed, see above";
  }
  ::close(tokens[0]);
  ::close(tokens[1]);
}

}  // namespace ranksweep::worker
