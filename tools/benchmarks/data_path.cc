// Measures the data path on one thread; data_path.py runs it beside torchvision and Keras.
// Usage: data_path FOLDER HEIGHT WIDTH: prints one JSON object of images per second. Run it on one
// core (taskset), since building the cache takes all there are.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include "worker/augmentation/augment.h"
#include "worker/data/data_set.h"
#include "worker/data/decoded_split.h"
#include "worker/data/file_bytes.h"
#include "worker/data/image.h"

namespace {

using namespace ranksweep;

constexpr double kSeconds = 3;  // of each measurement
constexpr std::int64_t kBatch = 10;

// Calls `body`, which handles `images` images, until enough time has passed.
template <typename Body>
double images_per_second(std::size_t images, Body body) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::size_t handled = 0;
  do {
    body();
    handled += images;
  } while (elapsed() < kSeconds);
  return static_cast<double>(handled) / elapsed();
}

double measure_decoding(const worker::DataSet& data, int height, int width) {
  std::vector<std::vector<std::uint8_t>> files;
  for (const worker::Sample& sample : data.train) files.push_back(worker::read_file(sample.path));
  return images_per_second(files.size(), [&] {
    for (const auto& bytes : files) worker::decode_image(bytes, height, width);
  });
}

torch::Tensor view(const worker::DecodedSplit& split, int height, int width) {
  return torch::from_blob(const_cast<std::uint8_t*>(split.pixels.data()),
                          {static_cast<std::int64_t>(split.size()), height, width, 3},
                          torch::kUInt8);
}

// Calls `use` with each batch of an epoch, as the training loop takes it from the cache.
template <typename Use>
void pass_over(const torch::Tensor& images, Use use) {
  for (std::int64_t begin = 0; begin < images.size(0); begin += kBatch) {
    const std::int64_t end = std::min(begin + kBatch, images.size(0));
    use(images.index_select(0, torch::arange(begin, end)), begin, end);
  }
}

double measure_augmentation(const torch::Tensor& images) {
  const sweeps::Augmentation& standard = *sweeps::find_augmentation_preset("standard");
  std::int64_t epoch = 0;
  return images_per_second(static_cast<std::size_t>(images.size(0)), [&] {
    ++epoch;
    pass_over(images, [&](const torch::Tensor& batch, std::int64_t begin, std::int64_t end) {
      std::vector<std::int64_t> indices;
      for (std::int64_t i = begin; i < end; ++i) indices.push_back(i);
      worker::augment(batch, indices, epoch, standard, 0);
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: data_path FOLDER HEIGHT WIDTH\n", stderr);
    return 2;
  }
  at::set_num_threads(1);
  const int height = std::stoi(argv[2]), width = std::stoi(argv[3]);
  sweeps::DataSpec spec;
  spec.path = std::filesystem::absolute(argv[1]);
  const worker::DataSet data = worker::list_data_set(spec);
  const auto cache = std::filesystem::temp_directory_path() / "ranksweep-data-path";
  std::filesystem::remove_all(cache);

  nlohmann::json result;
  result["decode"] = measure_decoding(data, height, width);
  const std::string fingerprint = worker::fingerprint(data);
  const auto start = std::chrono::steady_clock::now();
  const worker::DecodedData decoded =
      worker::open_decoded(data, spec, fingerprint, height, width, cache);
  const torch::Tensor images = view(decoded.train(), height, width);
  pass_over(images, [](const auto&...) {});
  const std::chrono::duration<double> first = std::chrono::steady_clock::now() - start;
  const std::size_t all = data.train.size() + data.validation.size() + data.test.size();
  result["first_epoch"] = static_cast<double>(all) / first.count();
  result["later_epochs"] =
      images_per_second(data.train.size(), [&] { pass_over(images, [](const auto&...) {}); });
  result["augment"] = measure_augmentation(images);
  std::printf("%s\n", result.dump().c_str());
  std::filesystem::remove_all(cache);
}
