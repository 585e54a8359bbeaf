// Times predicting from files beside the network alone, in turns; prediction.py trains a network
// and prints the ratio.
// Usage: prediction CHECKPOINT DEVICE BATCH LIST: LIST has a path a line. Prints a line a round:
// seconds on the wall and of the processor, of predicting, then of the network.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "worker/data/file_bytes.h"
#include "worker/data/image.h"
#include "worker/prediction/classify_files.h"

namespace {

using namespace ranksweep;

constexpr int kRounds = 3;

struct Seconds {
  double wall = 0;
  double processor = 0;  // of all threads
};

template <typename Body>
Seconds time(Body body) {
  const auto wall = std::chrono::steady_clock::now();
  const std::clock_t processor = std::clock();
  body();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count(),
          static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: prediction CHECKPOINT DEVICE BATCH LIST\n", stderr);
    return 2;
  }
  worker::TrainedModel model = worker::load_model(argv[1], torch::Device(argv[2]));
  const worker::ClassifyOptions options{.batch = std::stoi(argv[3])};
  std::vector<std::filesystem::path> files;
  std::ifstream list(argv[4]);
  for (std::string line; std::getline(list, line);) files.emplace_back(line);

  // The first files: what a convolution takes depends on what it is given (denormal numbers).
  const auto [height, width] = model.image_size();
  torch::Tensor pixels = torch::empty({options.batch, height, width, 3}, torch::kUInt8);
  for (int i = 0; i < options.batch; ++i) {
    const worker::Image image = worker::decode_image(
        worker::read_file(files.at(static_cast<std::size_t>(i))), height, width);
    std::ranges::copy(image.pixels, pixels[i].mutable_data_ptr<std::uint8_t>());
  }
  const torch::Tensor images = model.prepare(pixels);
  const auto batches = (static_cast<int>(files.size()) + options.batch - 1) / options.batch;
  const auto predict = [&] {
    worker::classify_files(model, files, options, [](const worker::Classification&) {});
  };
  const auto run_network = [&] {
    for (int batch = 0; batch < batches; ++batch) model.probabilities(images).cpu();
  };
  run_network();  // warms up
  for (int round = 0; round < kRounds; ++round) {
    const Seconds of_predict = time(predict);
    const Seconds of_network = time(run_network);
    std::printf("%.4f %.4f %.4f %.4f\n", of_predict.wall, of_predict.processor, of_network.wall,
                of_network.processor);
  }
}
