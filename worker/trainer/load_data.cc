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

std::shared_ptr<const DecodedData> open(const DataSet& data_set, const nlohmann::json& data,
                                        std::array<int, 2> image_size,
                                        const DecodeProgress& progress) {
  return std::make_shared<const DecodedData>(
      open_decoded(data_set, sweeps::data_spec_from_json(data), data.at("fingerprint"),
                   image_size[0], image_size[1], default_cache_folder(), progress));
}

}  // namespace

std::shared_ptr<const TrainingData> load_data(const nlohmann::json& data,
                                              std::array<int, 2> image_size,
                                              const DecodeProgress& progress) {
  const DataSet data_set = list_data_set(sweeps::data_spec_from_json(data));
  const auto decoded = open(data_set, data, image_size, progress);
  return std::make_shared<const TrainingData>(
      TrainingData{.train = view(decoded->train(), image_size),
                   .validation = view(decoded->validation(), image_size),
                   .classes = data_set.classes,
                   .fingerprint = data.at("fingerprint"),
                   .skipped = decoded->bad_files(),
                   .owner = decoded});
}

TestSplit load_test_split(const nlohmann::json& data, std::array<int, 2> image_size) {
  const DataSet data_set = list_data_set(sweeps::data_spec_from_json(data));
  const auto decoded = open(data_set, data, image_size, {});
  if (decoded->test().size() == 0) throw DataError("the data has no test split");
  return {.images = view(decoded->test(), image_size), .owner = decoded};
}

}  // namespace ranksweep::worker
