#include "worker/augmentation/preview.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/augmentation/augment.h"
#include "worker/augmentation/contact_sheet.h"
#include "worker/data/data_set.h"
#include "worker/data/decoded_split.h"
#include "worker/data/image.h"

namespace ranksweep::worker {
namespace {

struct NamedAugmentation {
  std::string name;
  sweeps::Augmentation augmentation;
};

// The presets but `none`, then what else the sweep tries.
std::vector<NamedAugmentation> augmentations_of(const sweeps::SweepSpec& sweep) {
  std::vector<NamedAugmentation> all;
  const auto add = [&all](const std::string& name, const sweeps::Augmentation& augmentation) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const NamedAugmentation& each) {
      return each.augmentation == augmentation;
    });
    if (!known && augmentation != sweeps::Augmentation{}) all.push_back({name, augmentation});
  };
  for (const char* name : {"flip", "standard", "strong"}) {
    add(name, *sweeps::find_augmentation_preset(name));
  }
  int own = 0;
  for (const sweeps::TrialSpec& trial : sweep.trials) {
    const std::size_t before = all.size();
    add("own " + std::to_string(own + 1), trial.augmentation);
    if (all.size() > before) ++own;
  }
  return all;
}

// Indices of images: one of each class in turn, until there are `count`.
std::vector<std::int64_t> choose_images(std::span<const std::int64_t> labels, int classes,
                                        int count) {
  std::vector<std::int64_t> chosen;
  for (std::size_t round = 0; round < labels.size(); ++round) {
    for (int label = 0; label < classes; ++label) {
      std::size_t seen = 0;
      for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] != label || seen++ != round) continue;
        if (static_cast<int>(chosen.size()) == count) return chosen;
        chosen.push_back(static_cast<std::int64_t>(i));
      }
    }
  }
  return chosen;
}

Image image_at(const DecodedData& data, std::int64_t index) {
  Image image{data.height(), data.width(), {}};
  const auto pixels =
      data.train().pixels.subspan(static_cast<std::size_t>(index * image.height * image.width * 3),
                                  static_cast<std::size_t>(image.height * image.width * 3));
  image.pixels.assign(pixels.begin(), pixels.end());
  return image;
}

torch::Tensor to_tensor(const Image& image) {
  return torch::tensor(image.pixels, torch::kUInt8).view({1, image.height, image.width, 3});
}

Image to_image(const torch::Tensor& pixels) {
  const torch::Tensor bytes = pixels.round().clamp(0, 255).to(torch::kUInt8).contiguous();
  const auto* data = bytes.data_ptr<std::uint8_t>();
  return {static_cast<int>(pixels.size(1)),
          static_cast<int>(pixels.size(2)),
          {data, data + bytes.numel()}};
}

}  // namespace

void write_preview(const sweeps::SweepSpec& sweep, const PreviewOptions& options,
                   const std::filesystem::path& path) {
  if (options.images < 1 || options.variants < 1 || options.images * options.variants > 1000) {
    throw std::invalid_argument(
        "a preview shows at least one variant of one image, and at most 1000");
  }
  const DataSet data = list_data_set(sweep.data);
  const sweeps::TrialSpec& trial = sweep.trials.at(0);
  // Decoded as for a trial, since an image's place among those that are not skipped decides what
  // augmentation makes of it.
  const DecodedData decoded =
      open_decoded(data, sweep.data, fingerprint(data, sweep.data.on_bad_file), trial.image_size[0],
                   trial.image_size[1]);
  const std::span<const std::int64_t> labels = decoded.train().labels;
  const std::vector<std::int64_t> chosen =
      choose_images(labels, static_cast<int>(data.classes.size()), options.images);
  std::vector<std::string> headings = {"image"};
  for (int epoch = 1; epoch <= options.variants; ++epoch) {
    headings.push_back("epoch " + std::to_string(epoch));
  }
  std::vector<ContactRow> rows;
  for (const auto& [name, augmentation] : augmentations_of(sweep)) {
    for (const std::int64_t index : chosen) {
      const Image image = image_at(decoded, index);
      const std::int64_t label = labels[static_cast<std::size_t>(index)];
      rows.push_back({name + ": " + data.classes[static_cast<std::size_t>(label)], {image}});
      for (int epoch = 1; epoch <= options.variants; ++epoch) {
        rows.back().images.push_back(to_image(
            augment(to_tensor(image), std::span(&index, 1), epoch, augmentation, trial.data_seed)));
      }
    }
  }
  write_contact_sheet(headings, rows, path);
}

}  // namespace ranksweep::worker
