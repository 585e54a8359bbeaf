#include "tools/make_faces/make_faces.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "tools/make_faces/face.h"
#include "tools/make_faces/jpeg_encoder.h"
#include "worker/data/parallel.h"

namespace ranksweep::make_faces {
namespace {

namespace fs = std::filesystem;

// The first line of the manifest tells a folder of ours from one of someone else.
constexpr const char* kManifest = "manifest.csv";
constexpr const char* kManifestHeader = "path,label,person,split";

struct Picture {
  int person;  // from 1
  int number;  // from 1, among the person's pictures with this label
  bool smiles;
  bool validation;

  const char* split() const { return validation ? "val" : "train"; }
  const char* label() const { return smiles ? "smile" : "neutral"; }
  std::string path() const {
    return fmt::format("{}/{}/{:04}_{}.jpg", split(), label(), person, number);
  }
};

void check(const MakeFacesOptions& options) {
  const auto require = [](bool fine, const std::string& message) {
    if (!fine) throw std::invalid_argument(message);
  };
  require(options.persons >= 2 && options.persons <= 9999,
          fmt::format("persons is {}; it must lie between 2 and 9999", options.persons));
  require(options.size >= 16 && options.size <= 2048,
          fmt::format("size is {}; it must lie between 16 and 2048 pixels", options.size));
  require(options.validation_fraction > 0 && options.validation_fraction < 1,
          fmt::format("validation_fraction is {}; it must lie between 0 and 1",
                      options.validation_fraction));
  require(options.pairs >= 1 && options.pairs <= 999,
          fmt::format("pairs is {}; it must lie between 1 and 999", options.pairs));
}

bool is_ours(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name != "train" && name != "val" && name != kManifest) return false;
  }
  std::ifstream manifest(folder / kManifest);
  std::string header;
  return std::getline(manifest, header) && header == kManifestHeader;
}

void prepare(const fs::path& folder) {
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw std::runtime_error(
        fmt::format("{}: is a file; give the name of a folder", folder.string()));
  }
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    if (!is_ours(folder)) {
      throw std::runtime_error(
          fmt::format("{}: holds something else than made faces; give a new or an empty folder",
                      folder.string()));
    }
    fs::remove_all(folder / "train");
    fs::remove_all(folder / "val");
  }
  for (const char* split : {"train", "val"}) {
    for (const char* label : {"smile", "neutral"}) fs::create_directories(folder / split / label);
  }
}

// The persons of the validation split are spread over the numbers by the seed.
std::vector<bool> choose_validation(const MakeFacesOptions& options) {
  std::vector<std::pair<std::uint64_t, int>> order;
  for (int i = 0; i < options.persons; ++i) {
    order.emplace_back(Random({options.seed, 1, static_cast<std::uint64_t>(i)}).next(), i);
  }
  std::sort(order.begin(), order.end());
  const auto wanted = std::lround(options.validation_fraction * options.persons);
  const auto count = std::clamp<long>(wanted, 1, options.persons - 1);
  std::vector<bool> in_validation(static_cast<std::size_t>(options.persons));
  for (long i = 0; i < count; ++i) {
    in_validation[static_cast<std::size_t>(order[static_cast<std::size_t>(i)].second)] = true;
  }
  return in_validation;
}

std::vector<Picture> plan_pictures(const MakeFacesOptions& options) {
  const std::vector<bool> in_validation = choose_validation(options);
  std::vector<Picture> pictures;
  for (int person = 1; person <= options.persons; ++person) {
    for (int number = 1; number <= options.pairs; ++number) {
      for (const bool smiles : {true, false}) {
        pictures.push_back(
            {person, number, smiles, in_validation[static_cast<std::size_t>(person) - 1]});
      }
    }
  }
  return pictures;
}

void write(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    throw std::runtime_error(fmt::format(
        "{}: cannot be written; check the space on the disk and the permissions", path.string()));
  }
}

std::string draw(const MakeFacesOptions& options, const Picture& picture) {
  const auto person = static_cast<std::uint64_t>(picture.person);
  const auto shot_key = 2 * static_cast<std::uint64_t>(picture.number) + (picture.smiles ? 1 : 0);
  const Person traits = draw_person(Random({options.seed, 2, person}));
  const Shot shot = draw_shot(picture.smiles, Random({options.seed, 3, person, shot_key}));
  return encode_jpeg(draw_face(traits, shot, options.size), shot.quality);
}

}  // namespace

void make_faces(const MakeFacesOptions& options) {
  check(options);
  try {
    prepare(options.folder);
  } catch (const fs::filesystem_error& error) {
    throw std::runtime_error(fmt::format("{}: cannot be made: {}; check the permissions",
                                         options.folder.string(), error.code().message()));
  }
  const std::vector<Picture> pictures = plan_pictures(options);
  std::string manifest = fmt::format("{}\n", kManifestHeader);
  for (const Picture& picture : pictures) {
    manifest += fmt::format("{},{},{:04},{}\n", picture.path(), picture.label(), picture.person,
                            picture.split());
  }
  // First, so that a call that is broken off leaves a folder that the next one knows as ours.
  write(options.folder / kManifest, manifest);
  worker::parallel_for(pictures.size(), [&](std::size_t i) {
    write(options.folder / pictures[i].path(), draw(options, pictures[i]));
  });
}

}  // namespace ranksweep::make_faces
