#include "worker/prediction/occlusion.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace ranksweep::worker {
namespace {

constexpr std::int64_t kCells = 12;  // a side
constexpr std::int64_t kBatch = 32;

torch::Tensor log_odds(const torch::Tensor& logits, std::int64_t of_class) {
  if (logits.size(1) == 1) return of_class == 1 ? logits.squeeze(1) : -logits.squeeze(1);
  torch::Tensor others = logits.clone();
  others.select(1, of_class).fill_(-std::numeric_limits<float>::infinity());
  return logits.select(1, of_class) - others.logsumexp(1);
}

// The pixels of a cell and its neighbours, along an image's side.
torch::Tensor around(const torch::Tensor& image, std::int64_t dimension, std::int64_t cell) {
  const std::int64_t side = image.size(dimension);
  const std::int64_t begin = std::max<std::int64_t>(cell - 1, 0) * side / kCells;
  const std::int64_t end = std::min(cell + 2, kCells) * side / kCells;
  return image.slice(dimension, begin, end);
}

}  // namespace

torch::Tensor occlusion_map(TrainedModel& model, const torch::Tensor& image,
                            std::int64_t of_class) {
  const torch::Tensor mean =
      image.to(torch::kFloat32).mean(at::IntArrayRef({0, 1})).round().to(torch::kUInt8);
  std::vector<torch::Tensor> variants = {image};
  for (std::int64_t cell = 0; cell < kCells * kCells; ++cell) {
    variants.push_back(image.clone());
    around(around(variants.back(), 0, cell / kCells), 1, cell % kCells).copy_(mean);
  }
  std::vector<torch::Tensor> odds;
  for (const torch::Tensor& batch : torch::stack(variants).split(kBatch)) {
    odds.push_back(log_odds(model.logits(model.prepare(batch)), of_class).cpu());
  }
  const torch::Tensor all = torch::cat(odds);
  return (all[0] - all.slice(0, 1)).view({kCells, kCells});
}

}  // namespace ranksweep::worker
