#pragma once

#include <cstdint>
#include <filesystem>

namespace ranksweep::make_faces {

struct MakeFacesOptions {
  std::filesystem::path folder;  // made if need be; what an earlier call made there is replaced
  int persons = 80;              // at least 2
  std::uint64_t seed = 7;
  int size = 160;                    // pixels a side, 16 to 2048
  double validation_fraction = 0.2;  // of the persons, at least one; none is in both splits
  int pairs = 4;                     // of a smiling and a neutral image, for each person
};

// Draws faces of cartoon persons, to try ranksweep out without any data of one's own:
// FOLDER/train/smile/0001_1.jpg, train/neutral/..., val/..., and manifest.csv with path, label,
// person and split. As many smiling as neutral images of each person. Light, colours, pose, hair,
// glasses, hats, blur and noise are drawn independently of the smile, so that a classifier must
// find the mouth and its shape. The same options give the same bytes.
//
// Throws std::invalid_argument for options out of range, and std::runtime_error for a folder that
// holds something else or cannot be written; both name the remedy.
void make_faces(const MakeFacesOptions& options);

}  // namespace ranksweep::make_faces
