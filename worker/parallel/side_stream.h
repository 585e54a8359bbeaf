#pragma once

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>

namespace ranksweep::worker {

// A stream beside the caller's current one. Only in builds for GPUs.
class SideStream {
 public:
  explicit SideStream(c10::DeviceIndex device, bool high_priority = false)
      : own_(c10::cuda::getStreamFromPool(high_priority, device)) {}

  const c10::cuda::CUDAStream& own() const { return own_; }

  // What is queued on the own stream from now on waits for the work that the caller has queued.
  void follow_caller() {
    at::cuda::CUDAEvent before;
    before.record(caller());
    before.block(own_);
  }
  // What the caller queues from now on waits for what the own stream has.
  void lead_caller() {
    done_.record(own_);
    done_.block(caller());
  }
  // What the own stream had at the last lead_caller() is done.
  bool done() const { return done_.query(); }

 private:
  c10::cuda::CUDAStream caller() const {
    return c10::cuda::getCurrentCUDAStream(own_.device_index());
  }

  c10::cuda::CUDAStream own_;
  at::cuda::CUDAEvent done_;
};

}  // namespace ranksweep::worker
