#include "worker/parallel/nccl_group.h"

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace ranksweep::worker {

struct NcclGroup::Streams {
  explicit Streams(c10::DeviceIndex device)
      : own(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device)), index(device) {}

  // What is queued on the own stream from now on waits for the work that the caller has queued.
  void follow_caller() {
    at::cuda::CUDAEvent before;
    before.record(c10::cuda::getCurrentCUDAStream(index));
    before.block(own);
  }
  // What the caller queues from now on waits for what the own stream has.
  void lead_caller() {
    done.record(own);
    done.block(c10::cuda::getCurrentCUDAStream(index));
  }

  c10::cuda::CUDAStream own;
  c10::DeviceIndex index;
  at::cuda::CUDAEvent done;
};

NcclGroup::NcclGroup(const NcclCommunicator::Options& options, torch::Device device,
                     const std::string& token)
    : options_(options),
      device_(device),
      streams_(std::make_unique<Streams>(device.index())),
      communicator_(options, token) {}

NcclGroup::~NcclGroup() = default;

int NcclGroup::member() const { return options_.member; }
int NcclGroup::members() const { return options_.members; }

void NcclGroup::sum(std::span<float> values) {
  const c10::cuda::CUDAGuard guard(device_);
  streams_->follow_caller();
  communicator_.sum(values.data(), values.size(), NcclCommunicator::Number::float32,
                    streams_->own.stream());
  streams_->lead_caller();
  communicator_.wait_until([&] { return streams_->done.query(); });
}

void NcclGroup::sum(std::span<double> values) {
  const c10::cuda::CUDAGuard guard(device_);
  streams_->follow_caller();
  communicator_.sum(values.data(), values.size(), NcclCommunicator::Number::float64,
                    streams_->own.stream());
  streams_->lead_caller();
  communicator_.wait_until([&] { return streams_->done.query(); });
}

void NcclGroup::broadcast(std::span<std::byte> bytes) {
  const c10::cuda::CUDAGuard guard(device_);
  streams_->follow_caller();
  communicator_.broadcast(bytes.data(), bytes.size(), streams_->own.stream());
  streams_->lead_caller();
  communicator_.wait_until([&] { return streams_->done.query(); },
                           NcclCommunicator::Patience::endless);
}

std::span<float> NcclGroup::allocate(std::size_t count) {
  memory_.push_back(torch::zeros({static_cast<std::int64_t>(count)},
                                 torch::dtype(torch::kFloat32).device(device_)));
  return {memory_.back().mutable_data_ptr<float>(), count};
}

void NcclGroup::release(std::span<float> memory) {
  memory_.remove_if(
      [&](const torch::Tensor& tensor) { return tensor.const_data_ptr() == memory.data(); });
}

void NcclGroup::start_sum(std::span<float> gradients) {
  const c10::cuda::CUDAGuard guard(device_);
  streams_->follow_caller();
  communicator_.sum(gradients.data(), gradients.size(), NcclCommunicator::Number::float32,
                    streams_->own.stream());
}

void NcclGroup::wait() {
  const c10::cuda::CUDAGuard guard(device_);
  streams_->lead_caller();
  communicator_.wait_until([&] { return streams_->done.query(); });
}

}  // namespace ranksweep::worker
