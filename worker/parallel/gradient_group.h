#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>

namespace ranksweep::worker {

// The group cannot go on: a member did not come in time, or the connection broke.
class GroupBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The trainers that train one trial together, each on a part of every batch. All members call the
// same methods in the same order; member 0 leads. A sum adds the members' numbers in the order of
// the members, so that all get the same bits. Memory is that of the group's device: of the host, or
// of a GPU.
//
// Sums wait for the other members up to the group's time limit and throw GroupBroken then. A
// broadcast waits without end: the leader may have to wait for its coordinator, and whether it
// lives is its agent's to watch.
class GradientGroup {
 public:
  GradientGroup() = default;
  GradientGroup(const GradientGroup&) = delete;
  GradientGroup& operator=(const GradientGroup&) = delete;
  virtual ~GradientGroup() = default;

  virtual int member() const = 0;
  virtual int members() const = 0;

  // In place.
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;
  // What the leader has, to all.
  virtual void broadcast(std::span<std::byte> bytes) = 0;

  // Memory for gradients, zero at first, the same size at every member. It lives as long as the
  // group or until release().
  virtual std::span<float> allocate(std::size_t count) = 0;
  virtual void release(std::span<float> memory) = 0;
  // Starts to sum a part of memory from allocate(), in place, and does not wait for it: one after
  // the other, in the order of the calls, beside what else this process does.
  virtual void start_sum(std::span<float> gradients) = 0;
  // Waits for all that was started. Throws what went wrong with it.
  virtual void wait() = 0;
};

}  // namespace ranksweep::worker
