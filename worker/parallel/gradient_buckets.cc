#include "worker/parallel/gradient_buckets.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace ranksweep::worker {
namespace {

constexpr std::size_t kFirstBucket = (std::size_t{1} << 20) / sizeof(float);
constexpr std::size_t kBucket = (std::size_t{25} << 20) / sizeof(float);
constexpr std::size_t kAlignment = 16;  // numbers in a cache line

std::size_t aligned(std::size_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

// Torch calls it when it has added a parameter's whole gradient.
class GradientBuckets::ReadyHook : public torch::autograd::PostAccumulateGradHook {
 public:
  ReadyHook(GradientBuckets& buckets, std::size_t bucket) : buckets_(buckets), bucket_(bucket) {}
  void operator()(const torch::autograd::Variable&) override { buckets_.note_ready(bucket_); }

 private:
  GradientBuckets& buckets_;
  std::size_t bucket_;
};

GradientBuckets::GradientBuckets(GradientGroup& group, std::vector<torch::Tensor> parameters,
                                 Overlap overlap)
    : group_(group), overlap_(overlap), parameters_(std::move(parameters)) {
  std::reverse(parameters_.begin(), parameters_.end());
  std::vector<std::size_t> places;
  std::size_t end = 0;
  for (const torch::Tensor& parameter : parameters_) {
    const std::size_t size = aligned(static_cast<std::size_t>(parameter.numel()));
    const std::size_t limit = buckets_.size() == 1 ? kFirstBucket : kBucket;
    if (buckets_.empty() || end + size - buckets_.back().begin > limit) {
      buckets_.push_back({.begin = end});
    }
    places.push_back(end);
    end += size;
    buckets_.back().end = end;
    ++buckets_.back().parameters;
  }
  memory_ = group_.allocate(end);
  std::size_t bucket = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const torch::Tensor& parameter = parameters_[i];
    while (places[i] >= buckets_[bucket].end) ++bucket;
    // The parameter's own layout, so that the optimizer walks both in the same order.
    gradients_.push_back(torch::from_blob(memory_.data() + places[i], parameter.sizes(),
                                          parameter.strides(), parameter.options()));
    torch::autograd::impl::set_post_acc_grad_hooks(parameter,
                                                   std::make_unique<ReadyHook>(*this, bucket));
  }
}

GradientBuckets::~GradientBuckets() {
  for (torch::Tensor& parameter : parameters_) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
    parameter.mutable_grad().reset();
  }
  gradients_.clear();
  group_.release(memory_);
}

void GradientBuckets::prepare(int passes) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].mutable_grad() = gradients_[i];
    gradients_[i].zero_();
  }
  for (Bucket& bucket : buckets_) bucket.missing = passes * bucket.parameters;
  started_ = 0;
}

void GradientBuckets::note_ready(std::size_t bucket) {
  --buckets_[bucket].missing;
  if (overlap_ == Overlap::backward) start_complete_buckets();
}

// One after the other, so that all members sum the same bucket whatever order their passes took.
void GradientBuckets::start_complete_buckets() {
  while (started_ < buckets_.size() && buckets_[started_].missing == 0) {
    const Bucket& bucket = buckets_[started_++];
    group_.start_sum(memory_.subspan(bucket.begin, bucket.end - bucket.begin));
  }
}

void GradientBuckets::finish() {
  for (Bucket& bucket : buckets_) bucket.missing = 0;
  start_complete_buckets();
  group_.wait();
}

}  // namespace ranksweep::worker
