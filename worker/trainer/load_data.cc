#include "worker/trainer/load_data.h"

#include <utility>

#include "worker/data/data_set.h"

namespace ranksweep::worker {
namespace {

// A view: Torch has no notion of memory that must not be written, and nobody writes to a data set.
ImageSet view(const DecodedSplit& split, std::array<int, 2> size) {
  const auto images = static_cast<std::int64_t>(split.size());
  return {.images = torch::from_blob(const_cast<std::uint8_t*>(split.pixels.data()),
                                     {images, size[0], size[1], 3}, torch::kUInt8),
          .labels = torch::from_blob(const_cast<std::int64_t*>(split.labels.data()), {images},
                                     torch::kInt64)};
}

}  // namespace

std::shared_ptr<const TrainingData> load_data(const nlohmann::json& data,
                                              std::array<int, 2> image_size,
                                              const DecodeProgress& progress) {
  const sweeps::DataSpec spec = sweeps::data_spec_from_json(data);
  const std::string fingerprint = data.at("fingerprint");
  const DataSet data_set = list_data_set(spec);
  auto decoded = std::make_shared<const DecodedData>(open_decoded(
      data_set, spec, fingerprint, image_size[0], image_size[1], default_cache_folder(), progress));
  return std::make_shared<const TrainingData>(
      TrainingData{.train = view(decoded->train(), image_size),
                   .validation = view(decoded->validation(), image_size),
                   .classes = data_set.classes,
                   .fingerprint = fingerprint,
                   .skipped = decoded->bad_files(),
                   .owner = decoded});
}

}  // namespace ranksweep::worker
