#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace ranksweep::worker {

// One member's end of an NCCL communicator, and the watch over it: nothing here waits for longer
// than the time limit, whatever becomes of the other members. Knows nothing of CUDA but the type of
// its streams. One thread. What goes wrong is a GroupBroken; the communicator is aborted then, and
// every later call throws the same.
class NcclCommunicator {
 public:
  struct Options {
    int member = 0;
    int members = 1;
    std::chrono::duration<double> time_limit{600};
  };
  enum class Number { float32, float64, byte };
  using Stream = void*;  // a cudaStream_t

  // A new group's, for all its members: printable.
  static std::string new_token();

  // Does not connect yet: members join when they first need one another.
  NcclCommunicator(const Options& options, std::string token);
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;
  // Aborts what is not complete, without waiting for anybody.
  ~NcclCommunicator();

  // Queue on `stream`, in place, on memory of the device. The first one connects the members.
  void sum(void* data, std::size_t count, Number number, Stream stream);
  void broadcast(void* data, std::size_t bytes, Stream stream);

  enum class Patience { time_limit, endless };
  // Until `done`. The communicator's errors are looked for meanwhile.
  void wait_until(const std::function<bool()>& done, Patience patience = Patience::time_limit);

 private:
  void connect();
  // `result` of a call on the communicator, which may be in progress.
  void expect_success(int result, const char* what);
  int state() const;
  [[noreturn]] void abort(const std::string& reason);

  Options options_;
  std::string token_;
  void* communicator_ = nullptr;  // an ncclComm_t; null before connect() and after abort()
  std::string broken_;            // why; empty: it works
};

}  // namespace ranksweep::worker
