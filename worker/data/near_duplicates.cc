#include "worker/data/near_duplicates.h"

#include <bit>
#include <cstdlib>
#include <numeric>

#include "worker/data/parallel.h"

namespace ranksweep::worker {
namespace {

constexpr int kMaxBits = 32;
constexpr int kMaxDifference = 6;

bool hashes_are_near(const Look& a, const Look& b) {
  int bits = 0;
  for (std::size_t i = 0; i < a.hash.size(); ++i) bits += std::popcount(a.hash[i] ^ b.hash[i]);
  return bits <= kMaxBits;
}

}  // namespace

Look make_look(const Image& thumbnail) {
  Look look;
  for (std::size_t i = 0; i < look.thumbnail.size(); ++i) {
    const std::uint8_t* rgb = &thumbnail.pixels[3 * i];
    look.thumbnail[i] =
        static_cast<std::int16_t>((rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114) / 1000);
  }
  std::size_t bit = 0;
  for (std::size_t y = 0; y < Look::kRows; ++y) {
    for (std::size_t x = 1; x < Look::kColumns; ++x, ++bit) {
      const std::size_t at = y * Look::kColumns + x;
      const std::uint64_t brighter = look.thumbnail[at] > look.thumbnail[at - 1];
      look.hash[bit / 64] |= brighter << (bit % 64);
    }
  }
  const int mean = std::accumulate(look.thumbnail.begin(), look.thumbnail.end(), 0) /
                   static_cast<int>(look.thumbnail.size());
  for (std::int16_t& value : look.thumbnail) value = static_cast<std::int16_t>(value - mean);
  return look;
}

bool look_the_same(const Look& a, const Look& b) {
  if (!hashes_are_near(a, b)) return false;
  int difference = 0;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) {
    difference += std::abs(a.thumbnail[i] - b.thumbnail[i]);
  }
  return difference <= kMaxDifference * static_cast<int>(a.thumbnail.size());
}

std::vector<std::array<std::size_t, 2>> find_near_duplicates(const std::vector<Look>& looks) {
  std::vector<std::vector<std::size_t>> partners(looks.size());
  parallel_for(looks.size(), [&](std::size_t i) {
    for (std::size_t j = i + 1; j < looks.size(); ++j) {
      if (look_the_same(looks[i], looks[j])) partners[i].push_back(j);
    }
  });
  std::vector<std::array<std::size_t, 2>> pairs;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    for (const std::size_t j : partners[i]) pairs.push_back({i, j});
  }
  return pairs;
}

}  // namespace ranksweep::worker
