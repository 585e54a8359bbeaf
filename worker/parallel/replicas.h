#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "worker/models/synchronized_batch_norm.h"
#include "worker/parallel/gradient_buckets.h"
#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {

// The members' parameters are not equal any more, bit for bit.
class ReplicasDiverged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a step comes to, or what a member contributes to it.
struct StepSums {
  double loss = 0;     // the mean over the images of the whole batch
  double correct = 0;  // images
};

// One trial's training as a member of a group: the same parameters at every member, each with its
// own part of every batch. All members call the same methods in the same order; what one of them
// throws is thrown by all, GroupBroken aside.
class Replicas {
 public:
  // The group must outlive it.
  Replicas(GradientGroup& group, torch::Device device);

  int member() const { return group_.member(); }
  int members() const { return group_.members(); }
  bool leads() const { return member() == 0; }

  // What the leader has, to all: float32, float64 or int64 on the device, dense.
  void broadcast(const std::vector<torch::Tensor>& tensors);
  std::string broadcast(const std::string& text);
  // In place; float32 or float64 on the device, dense.
  void sum(const torch::Tensor& tensor);
  std::vector<double> sum(const std::vector<double>& values);

  // This member's part of a batch: as many images at every member, up to one, in the batch's order,
  // and at least two. Where there are too few images for that, a member without a part gets the
  // last image, which then counts nothing.
  torch::Tensor part_of(const torch::Tensor& batch) const;
  // What follows is about a batch of so many images.
  void begin_batch(std::int64_t images);
  // Images of this member's part by images of the batch.
  double weight() const { return weight_; }
  // The batch of the last begin_batch(): for batch normalisation over the whole of it.
  const SharedBatch& batch() const { return batch_; }

  // From now on `parameters` are trained, in the order of the forward pass; all others have no
  // gradients.
  void train(std::vector<torch::Tensor> parameters);
  // Around so many backward passes, which leave the sums of all members' gradients.
  void begin_backward(int passes) { buckets_->prepare(passes); }
  void end_backward() { buckets_->finish(); }
  // Adds up what the members contribute. `wants_stop`: no further step is wanted after this one.
  StepSums join(const StepSums& sums, bool wants_stop);
  // Of the members' `buffers`, all of float32, the mean weighted by the images.
  void average(const std::vector<torch::Tensor>& buffers);

  // Whether some member has wanted to stop.
  bool stop_agreed() const { return stop_agreed_; }
  // The rows of all members, one below the other: each gives its own, where it stands among
  // `count` of them. [n, F] of float32, or undefined for none; the leader has some.
  torch::Tensor gather(const torch::Tensor& rows, std::int64_t first, std::int64_t count);

  // Throws ReplicasDiverged unless `tensors` have the same bits at every member.
  void compare(const std::vector<torch::Tensor>& tensors);

 private:
  struct Part {  // of the images of a batch
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  Part own_part(std::int64_t images) const;

  GradientGroup& group_;
  torch::Device device_;
  std::optional<GradientBuckets> buckets_;
  double weight_ = 1;
  SharedBatch batch_;
  bool stop_agreed_ = false;
};

}  // namespace ranksweep::worker
