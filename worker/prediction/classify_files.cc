#include "worker/prediction/classify_files.h"

#include <algorithm>
#include <span>

#include "worker/data/file_bytes.h"
#include "worker/data/image.h"
#include "worker/data/parallel.h"

namespace ranksweep::worker {
namespace {

constexpr std::size_t kBatch = 32;

// The images that could be decoded, one after the other, and the error of each that could not.
struct DecodedBatch {
  torch::Tensor images;  // [N, H, W, 3] of uint8
  std::vector<std::string> errors;
};

DecodedBatch decode(std::span<const std::filesystem::path> paths, std::array<int, 2> size) {
  const auto count = static_cast<std::int64_t>(paths.size());
  DecodedBatch batch{.images = torch::empty({count, size[0], size[1], 3}, torch::kUInt8),
                     .errors = std::vector<std::string>(paths.size())};
  const std::int64_t bytes = batch.images.stride(0);
  auto* pixels = batch.images.mutable_data_ptr<std::uint8_t>();
  parallel_for(paths.size(), [&](std::size_t i) {
    try {
      const Image image = decode_image(read_file(paths[i]), size[0], size[1]);
      std::ranges::copy(image.pixels, pixels + static_cast<std::int64_t>(i) * bytes);
    } catch (const ImageError& error) {
      batch.errors[i] = error.what();
    }
  });
  std::vector<std::int64_t> good;
  for (std::int64_t i = 0; i < count; ++i) {
    if (batch.errors[static_cast<std::size_t>(i)].empty()) good.push_back(i);
  }
  batch.images = batch.images.index_select(0, torch::tensor(good, torch::kInt64));
  return batch;
}

}  // namespace

void classify_files(TrainedModel& model, const std::vector<std::filesystem::path>& paths,
                    const std::function<void(const Classification&)>& report) {
  const std::size_t classes = model.classes().size();
  for (std::size_t begin = 0; begin < paths.size(); begin += kBatch) {
    const auto files = std::span(paths).subspan(begin, std::min(kBatch, paths.size() - begin));
    const DecodedBatch batch = decode(files, model.image_size());
    torch::Tensor probabilities;
    if (batch.images.size(0) > 0) probabilities = model.probabilities(batch.images).contiguous();
    const float* next = probabilities.defined() ? probabilities.const_data_ptr<float>() : nullptr;
    for (std::size_t i = 0; i < files.size(); ++i) {
      Classification result{.probabilities = {}, .error = batch.errors[i]};
      if (result.error.empty()) {
        result.probabilities.assign(next, next + classes);
        next += classes;
      }
      report(result);
    }
  }
}

}  // namespace ranksweep::worker
