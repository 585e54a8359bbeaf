#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <torch/torch.h>

#include "worker/parallel/gradient_group.h"

namespace ranksweep::worker {

// When a bucket's sum may start.
enum class Overlap { backward, none };  // beside the backward pass, or after it

// The gradients of a set of parameters, summed over a group in buckets. They lie in the buckets
// from the start, so nothing is copied. The parameters that the backward pass reaches first are in
// the first bucket, a small one; a bucket's sum starts as soon as its gradients are complete and
// runs beside the rest of the pass (S. Li et al., PyTorch Distributed: Experiences on Accelerating
// Data Parallel Training, VLDB 2020). A parameter that gets no gradient counts as zero.
class GradientBuckets {
 public:
  // `parameters`: float32 and dense, in the order of the forward pass, the same at every member.
  // All members at once. The group must outlive it.
  GradientBuckets(GradientGroup& group, std::vector<torch::Tensor> parameters,
                  Overlap overlap = Overlap::backward);
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;
  // Leaves the parameters without gradients.
  ~GradientBuckets();

  // Before so many backward passes: the parameters' gradients are zero.
  void prepare(int passes = 1);
  // After them: they are the group's sums of what the passes added up to.
  void finish();

  std::size_t buckets() const { return buckets_.size(); }

 private:
  class ReadyHook;
  struct Bucket {
    std::size_t begin = 0;  // in memory_, in numbers
    std::size_t end = 0;
    int parameters = 0;
    int missing = 0;  // gradients of a parameter from a pass, which are still to come
  };

  void note_ready(std::size_t bucket);
  void start_complete_buckets();

  GradientGroup& group_;
  Overlap overlap_;
  std::vector<torch::Tensor> parameters_;  // as the backward pass is expected to reach them
  std::vector<torch::Tensor> gradients_;   // views of memory_
  std::vector<Bucket> buckets_;
  std::span<float> memory_;
  std::size_t started_ = 0;  // buckets, since prepare()
};

}  // namespace ranksweep::worker
