#include "worker/training/epoch_batches.h"

#include "worker/training/random.h"

namespace ranksweep::worker {
namespace {

int batches_of(std::int64_t images, std::int64_t size) {
  const bool lone_image = size > 1 && images > size && images % size == 1;
  return static_cast<int>((images + size - 1) / size - (lone_image ? 1 : 0));
}

}  // namespace

EpochBatches::EpochBatches(std::int64_t images, const sweeps::TrialSpec& spec, int epoch)
    : size_(spec.batch_size),
      order_(epoch_order(images, spec.seed, epoch)),
      count_(batches_of(images, size_)) {}

torch::Tensor EpochBatches::at(int index) const {
  const auto begin = order_.begin() + index * size_;
  const auto end = index + 1 == count_ ? order_.end() : begin + size_;
  return torch::tensor(std::vector<std::int64_t>(begin, end));
}

}  // namespace ranksweep::worker
