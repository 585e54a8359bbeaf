#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "worker/data/image.h"

namespace ranksweep::worker {

// What is kept of an image to find others that look the same: a difference hash (N. Krawetz, Kind
// of Like That, 2013), here of 16 x 16 bits, and the grey thumbnail that it is made from.
struct Look {
  static constexpr std::size_t kRows = 16;
  static constexpr std::size_t kColumns = 17;

  std::array<std::uint64_t, 4> hash = {};  // is a pixel brighter than its left one
  std::array<std::int16_t, kRows* kColumns> thumbnail = {};  // grey minus its mean
};

// `thumbnail` is an image of Look::kRows x Look::kColumns.
Look make_look(const Image& thumbnail);

// Two images look the same when at most 32 of the 256 bits differ, and the thumbnails by at most 6
// of 255 on average. The first finds candidates fast, the second keeps apart what has the same
// outline: faces in one pose. A picture that was scaled, recompressed, brightened or slightly
// cropped looks the same; a mirrored one does not.
bool look_the_same(const Look& a, const Look& b);

// All pairs (i, j), i < j, that look the same, in order.
std::vector<std::array<std::size_t, 2>> find_near_duplicates(const std::vector<Look>& looks);

}  // namespace ranksweep::worker
