#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <c10/core/Event.h>
#include <torch/torch.h>

namespace ranksweep::worker {

// Prepares the batches `first` .. `end` - 1 of a pass in a thread of its own, a few ahead of the
// steps that take them. That thread does its work alone, without Torch's own threads, since those
// are busy with the steps; on a GPU its copies and kernels run on a stream of their own.
class BatchLoader {
 public:
  // Gives batch `index`. Called in order, from the loader's thread; what it throws, next() throws.
  using Prepare = std::function<torch::Tensor(int index)>;

  // `device`: where the batches lie.
  BatchLoader(int first, int end, torch::Device device, Prepare prepare);
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;
  // Waits for the batch in work and drops what nobody took.
  ~BatchLoader() = default;

  // The next batch; waits for it, though not for the GPU's work on it: the caller's stream does.
  torch::Tensor next();

 private:
  struct Batch {
    torch::Tensor tensor;
    std::optional<c10::Event> ready;  // on a GPU
  };

  void work(const std::stop_token& stop, int first, int end, const Prepare& prepare);

  torch::Device device_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool started_ = false;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace ranksweep::worker
