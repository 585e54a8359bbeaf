#include "worker/parallel/nccl_group.h"

#include <c10/cuda/CUDAGuard.h>

#include "worker/parallel/side_stream.h"

namespace ranksweep::worker {

NcclGroup::NcclGroup(const NcclCommunicator::Options& options, torch::Device device,
                     const std::string& token)
    : options_(options),
      device_(device),
      stream_(std::make_unique<SideStream>(device.index(), /*high_priority=*/true)),
      communicator_(options, token) {}

NcclGroup::~NcclGroup() = default;

int NcclGroup::member() const { return options_.member; }
int NcclGroup::members() const { return options_.members; }

void NcclGroup::sum(std::span<float> values) {
  const c10::cuda::CUDAGuard guard(device_);
  stream_->follow_caller();
  communicator_.sum(values.data(), values.size(), NcclCommunicator::Number::float32,
                    stream_->own().stream());
  stream_->lead_caller();
  communicator_.wait_until([&] { return stream_->done(); });
}

void NcclGroup::sum(std::span<double> values) {
  const c10::cuda::CUDAGuard guard(device_);
  stream_->follow_caller();
  communicator_.sum(values.data(), values.size(), NcclCommunicator::Number::float64,
                    stream_->own().stream());
  stream_->lead_caller();
  communicator_.wait_until([&] { return stream_->done(); });
}

void NcclGroup::broadcast(std::span<std::byte> bytes) {
  const c10::cuda::CUDAGuard guard(device_);
  stream_->follow_caller();
  communicator_.broadcast(bytes.data(), bytes.size(), stream_->own().stream());
  stream_->lead_caller();
  communicator_.wait_until([&] { return stream_->done(); }, NcclCommunicator::Patience::endless);
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
  stream_->follow_caller();
  communicator_.sum(gradients.data(), gradients.size(), NcclCommunicator::Number::float32,
                    stream_->own().stream());
}

void NcclGroup::wait() {
  const c10::cuda::CUDAGuard guard(device_);
  stream_->lead_caller();
  communicator_.wait_until([&] { return stream_->done(); });
}

}  // namespace ranksweep::worker
