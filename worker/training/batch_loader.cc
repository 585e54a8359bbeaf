#include "worker/training/batch_loader.h"

#include <utility>

#include <ATen/Parallel.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace ranksweep::worker {
namespace {

// Batches that lie ready at most: one hides the time of an ordinary batch, the other that of a slow
// one. More would only take memory.
constexpr std::size_t kAhead = 2;

}  // namespace

BatchLoader::BatchLoader(int first, int end, torch::Device device, Prepare prepare)
    : device_(device) {
  const int threads = at::get_num_threads();
  thread_ = std::jthread([=, this, prepare = std::move(prepare)](const std::stop_token& stop) {
    work(stop, first, end, prepare);
  });
  // Torch keeps the number of threads for the thread that sets it, and besides as the default of
  // threads to come: that one is put back.
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_; });
  at::set_num_threads(threads);
}

void BatchLoader::work(const std::stop_token& stop, int first, int end, const Prepare& prepare) {
  at::get_num_threads();  // takes over the default now, lest it come with the first operation
  at::set_num_threads(1);
  c10::OptionalStreamGuard stream;
  if (!device_.is_cpu()) {
    stream.reset_stream(
        c10::impl::VirtualGuardImpl(device_.type()).getStreamFromGlobalPool(device_));
  }
  std::unique_lock lock(mutex_);
  started_ = true;
  changed_.notify_all();
  try {
    for (int index = first; index < end; ++index) {
      if (!changed_.wait(lock, stop, [this] { return ready_.size() < kAhead; })) return;
      lock.unlock();
      Batch batch{.tensor = prepare(index), .ready = std::nullopt};
      if (!device_.is_cpu()) batch.ready.emplace(device_.type()).record(*stream.current_stream());
      lock.lock();
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

torch::Tensor BatchLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
  if (ready_.empty()) std::rethrow_exception(failure_);
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  lock.unlock();
  if (batch.ready) {
    const c10::Stream caller = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
    batch.ready->block(caller);
    batch.tensor.record_stream(caller);  // its memory is not given to another batch before
  }
  return batch.tensor;
}

}  // namespace ranksweep::worker
