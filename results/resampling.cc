#include "results/resampling.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace ranksweep::results {
namespace {

constexpr int kResamples = 2000;
constexpr int kFlips = 1999;  // and the observed signs: 2000 in all
constexpr int kMostAsFar = (kFlips + 1) / 20 - 1;
constexpr std::uint64_t kSeed = 20'250'301;
constexpr double kZ = 1.959963984540054;  // the 97.5 % point of the normal distribution

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double normal_quantile(double probability) {
  double low = -8;
  double high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Sorted.
std::vector<double> resampled_means(std::span<const double> values) {
  std::mt19937 random(kSeed);
  const std::uint64_t size = values.size();
  std::vector<double> means(kResamples);
  for (double& mean : means) {
    double sum = 0;
    for (std::uint64_t i = 0; i < size; ++i) sum += values[std::uint64_t{random()} * size >> 32];
    mean = sum / static_cast<double>(size);
  }
  std::ranges::sort(means);
  return means;
}

// How far the skewness of the values bends the interval.
double acceleration(std::span<const double> values, double mean) {
  double squares = 0;
  double cubes = 0;
  for (double value : values) {
    const double d = value - mean;
    squares += d * d;
    cubes += d * d * d;
  }
  return cubes / (6 * std::pow(squares, 1.5));
}

// The sums of 8 neighbouring differences with each of their 256 combinations of signs.
using SignedSums = std::array<double, 256>;

std::vector<SignedSums> signed_sums(std::span<const double> differences) {
  std::vector<SignedSums> blocks((differences.size() + 7) / 8);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const auto group =
        differences.subspan(block * 8, std::min<std::size_t>(8, differences.size() - block * 8));
    blocks[block][0] = -std::accumulate(group.begin(), group.end(), 0.0);
    for (std::size_t signs = 1; signs < 256; ++signs) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(signs));
      const double flipped = bit < group.size() ? 2 * group[bit] : 0;
      blocks[block][signs] = blocks[block][signs & (signs - 1)] + flipped;
    }
  }
  return blocks;
}

}  // namespace

std::optional<Interval> bootstrap_interval(std::span<const double> values) {
  if (values.size() < 2 || !all_finite(values)) return std::nullopt;
  const double mean = mean_of(values);
  const auto [least, most] = std::ranges::minmax(values);
  if (least == most) return Interval{mean, mean};
  const std::vector<double> means = resampled_means(values);
  const auto below = std::ranges::lower_bound(means, mean) - means.begin();
  const auto up_to = std::ranges::upper_bound(means, mean) - means.begin();
  const double share = static_cast<double>(below + up_to) / 2 / kResamples;
  const double bias = normal_quantile(std::clamp(share, 1.0 / kResamples, 1 - 1.0 / kResamples));
  const double a = acceleration(values, mean);
  const auto bound = [&](double z) {
    const double level = normal_cdf(bias + (bias + z) / (1 - a * (bias + z)));
    const auto place = static_cast<std::ptrdiff_t>(std::floor(level * (kResamples + 1))) - 1;
    return means[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, kResamples - 1))];
  };
  return Interval{bound(-kZ), bound(kZ)};
}

std::optional<bool> distinguishable(std::span<const double> differences) {
  if (differences.empty() || !all_finite(differences)) return std::nullopt;
  double sum = 0;
  double squares = 0;
  double sizes = 0;
  for (double d : differences) {
    sum += d;
    squares += d * d;
    sizes += std::abs(d);
  }
  // Most pairs need no draw: a sum of random signs is as far from zero with a probability of at
  // most 2 exp(-sum^2 / 2 squares) (W. Hoeffding, 1963, J. Am. Stat. Assoc. 58, p. 13).
  if (squares > 0 && 2 * std::exp(-sum * sum / (2 * squares)) < 0.04) return true;
  const std::vector<SignedSums> blocks = signed_sums(differences);
  const double as_far = std::abs(sum) - 1e-12 * sizes;  // rounding must not break a tie
  std::mt19937 random(kSeed);
  int count = 0;
  for (int flip = 0; flip < kFlips; ++flip) {
    double flipped = 0;
    std::uint32_t signs = 0;
    for (std::size_t block = 0; block < blocks.size(); ++block) {
      if (block % 4 == 0) signs = static_cast<std::uint32_t>(random());
      flipped += blocks[block][signs & 255];
      signs >>= 8;
    }
    if (std::abs(flipped) >= as_far && ++count > kMostAsFar) return false;
  }
  return true;
}

}  // namespace ranksweep::results
