#pragma once

#include <list>
#include <memory>
#include <string>

#include <torch/torch.h>

#include "worker/parallel/gradient_group.h"
#include "worker/parallel/nccl_communicator.h"

namespace ranksweep::worker {

class SideStream;

// A group of trainers on GPUs, on one node or several. Gradients are summed on a stream of the
// group's own beside the backward pass. Only in builds for GPUs.
class NcclGroup : public GradientGroup {
 public:
  // Members join when they first need one another.
  NcclGroup(const NcclCommunicator::Options& options, torch::Device device,
            const std::string& token);
  ~NcclGroup() override;

  int member() const override;
  int members() const override;
  void sum(std::span<float> values) override;
  void sum(std::span<double> values) override;
  void broadcast(std::span<std::byte> bytes) override;
  std::span<float> allocate(std::size_t count) override;
  void release(std::span<float> memory) override;
  void start_sum(std::span<float> gradients) override;
  void wait() override;

 private:
  NcclCommunicator::Options options_;
  torch::Device device_;
  std::unique_ptr<SideStream> stream_;
  NcclCommunicator communicator_;
  std::list<torch::Tensor> memory_;
};

}  // namespace ranksweep::worker
