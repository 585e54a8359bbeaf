#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "worker/parallel/gradient_group.h"
#include "worker/parallel/meeting_point.h"
#include "worker/parallel/shared_memory.h"

namespace ranksweep::worker {

// A group of trainers on one host that train on CPUs. Gradients lie in memory that all of them
// share: each member sums its own part of them and writes the sum to every member's place, so
// nothing is copied to be sent. A thread of its own does so beside the backward pass.
class SharedMemoryGroup : public GradientGroup {
 public:
  struct Options {
    int members = 1;
    std::chrono::duration<double> time_limit{600};
  };

  // The leader makes the group, and its token lets the others in. Throws std::system_error.
  explicit SharedMemoryGroup(const Options& options);
  // Throws GroupBroken for a token of another host, std::system_error when its group is gone.
  SharedMemoryGroup(const Options& options, int member, const std::string& token);
  // Does not wait for the others. A sum that was started and not waited for may be half done.
  ~SharedMemoryGroup() override;

  // Printable, to be passed on as it is.
  std::string token() const;

  int member() const override { return member_; }
  int members() const override { return options_.members; }
  void sum(std::span<float> values) override;
  void sum(std::span<double> values) override;
  void broadcast(std::span<std::byte> bytes) override;
  std::span<float> allocate(std::size_t count) override;
  void release(std::span<float> memory) override;
  void start_sum(std::span<float> gradients) override;
  void wait() override;

 private:
  struct Layout;  // of the memory that the group starts with
  struct Arena {  // of one allocate(): the members' places, one after the other
    std::unique_ptr<SharedMemory> memory;
    std::size_t count = 0;   // of each member
    std::size_t stride = 0;  // from one member's place to the next, in numbers
    float* place(int member) const;
  };

  SharedMemoryGroup(const Options& options, int member, std::unique_ptr<SharedMemory> memory);
  template <class Number>
  void sum_small(std::span<Number> values);
  std::byte* next_slot();
  std::byte* slot_of(int member) const;
  void sum_part(std::span<float> gradients);
  void work(const std::stop_token& stop);

  Options options_;
  int member_;
  std::unique_ptr<SharedMemory> memory_;
  MeetingPoint meeting_;           // of the thread that uses the group
  MeetingPoint gradient_meeting_;  // of the group's own threads
  std::uint32_t turn_ = 0;         // slots alternate: who is late may still read the last one
  std::list<Arena> arenas_;

  std::atomic<bool> given_up_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::span<float>> started_;  // the first of them is in work
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace ranksweep::worker
