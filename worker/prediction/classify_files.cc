#include "worker/prediction/classify_files.h"

#include <algorithm>
#include <span>

#include "worker/data/file_bytes.h"
#include "worker/data/image.h"
#include "worker/data/parallel.h"
#include "worker/prediction/occlusion.h"
#include "worker/training/batch_loader.h"

namespace ranksweep::worker {
namespace {

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

std::vector<std::vector<float>> rows_of(const torch::Tensor& map) {
  std::vector<std::vector<float>> rows;
  for (const torch::Tensor& row : map.contiguous().unbind()) {
    const auto* first = row.const_data_ptr<float>();
    rows.emplace_back(first, first + row.numel());
  }
  return rows;
}

}  // namespace

void classify_files(TrainedModel& model, const std::vector<std::filesystem::path>& paths,
                    const ClassifyOptions& options,
                    const std::function<void(const Classification&)>& report) {
  const auto size = static_cast<std::size_t>(options.batch);
  const auto files_of = [&](std::size_t batch) {
    return std::span(paths).subspan(batch * size, std::min(size, paths.size() - batch * size));
  };
  std::vector<DecodedBatch> batches((paths.size() + size - 1) / size);
  BatchLoader loader(0, static_cast<int>(batches.size()), model.device(), [&](int index) {
    const auto batch = static_cast<std::size_t>(index);
    batches[batch] = decode(files_of(batch), model.image_size());
    return model.prepare(batches[batch].images);
  });
  for (DecodedBatch& batch : batches) {
    const torch::Tensor prepared = loader.next();
    torch::Tensor probabilities;
    if (prepared.size(0) > 0) probabilities = model.probabilities(prepared).cpu();
    std::int64_t next = 0;
    for (const std::string& error : batch.errors) {
      Classification result{.probabilities = {}, .occlusion = {}, .error = error};
      if (error.empty()) {
        const torch::Tensor row = probabilities[next].contiguous();
        const auto* first = row.const_data_ptr<float>();
        result.probabilities.assign(first, first + row.numel());
        if (options.explain) {
          const auto likeliest = row.argmax().item<std::int64_t>();
          result.occlusion = rows_of(occlusion_map(model, batch.images[next], likeliest));
        }
        ++next;
      }
      report(result);
    }
    batch = {};
  }
}

}  // namespace ranksweep::worker
