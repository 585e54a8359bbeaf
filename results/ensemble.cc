#include "results/ensemble.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <utility>

#include "results/image_losses.h"

namespace ranksweep::results {
namespace {

constexpr int kRepeats = 50;
constexpr std::uint64_t kSeed = 20'250'301;

using Members = std::vector<const sweeps::Predictions*>;

std::vector<double> mean_probabilities(const Members& members, std::size_t image) {
  const auto classes = static_cast<std::size_t>(members.front()->classes);
  std::vector<double> mean(classes);
  for (const sweeps::Predictions* member : members) {
    for (std::size_t c = 0; c < classes; ++c) {
      mean[c] += std::exp(double{member->log_probabilities[image * classes + c]});
    }
  }
  for (double& each : mean) each /= static_cast<double>(members.size());
  return mean;
}

// Adds what the average of `members` makes of `image`.
void add_score(const Members& members, std::size_t image, int label, HeldOutScores& scores) {
  const std::vector<double> mean = mean_probabilities(members, image);
  scores.losses[image] -= std::log(mean[static_cast<std::size_t>(label)]);
  const bool is_right = std::ranges::max_element(mean) - mean.begin() == label;
  scores.right[image] += is_right ? 1 : 0;
}

void add_scores(const Members& members, std::span<const std::size_t> images,
                const std::vector<int>& labels, EnsembleScores& scores) {
  const Members best(members.begin(), members.begin() + 1);
  for (const std::size_t image : images) {
    add_score(best, image, labels[image], scores.best);
    add_score(members, image, labels[image], scores.average);
  }
}

EnsembleScores no_scores(std::size_t images) {
  const HeldOutScores zero{std::vector<double>(images), std::vector<double>(images)};
  return {.best = zero, .average = zero};
}

std::vector<std::size_t> all_images(std::size_t count) {
  std::vector<std::size_t> images(count);
  std::iota(images.begin(), images.end(), 0U);
  return images;
}

// The `size` candidates with the smallest loss on `images`, the best first.
std::vector<std::size_t> choose(const std::vector<std::vector<double>>& losses,
                                std::span<const std::size_t> images, std::size_t size) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t candidate = 0; candidate < losses.size(); ++candidate) {
    double sum = 0;
    for (const std::size_t image : images) sum += losses[candidate][image];
    order.emplace_back(sum, candidate);
  }
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(size));
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < size; ++i) chosen.push_back(order[i].second);
  return chosen;
}

void shuffle(std::vector<std::size_t>& images, std::mt19937& random) {
  for (std::size_t i = images.size(); i > 1; --i) {
    std::swap(images[i - 1], images[std::uint64_t{random()} * i >> 32]);
  }
}

}  // namespace

EnsembleScores test_ensemble(const std::vector<sweeps::Predictions>& members,
                             const std::vector<int>& labels) {
  EnsembleScores scores = no_scores(labels.size());
  Members all;
  for (const sweeps::Predictions& member : members) all.push_back(&member);
  add_scores(all, all_images(labels.size()), labels, scores);
  return scores;
}

EnsembleScores cross_validate_ensemble(const std::vector<sweeps::Predictions>& candidates,
                                       const std::vector<int>& labels, std::size_t size) {
  std::vector<std::vector<double>> losses;
  for (const sweeps::Predictions& each : candidates) losses.push_back(image_losses(each, labels));
  EnsembleScores scores = no_scores(labels.size());
  std::vector<std::size_t> images = all_images(labels.size());
  std::mt19937 random(kSeed);
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    shuffle(images, random);
    const std::span all(images);
    const auto first = all.first(images.size() / 2);
    const auto second = all.subspan(images.size() / 2);
    for (const auto& [choosing, held_out] : {std::pair(first, second), std::pair(second, first)}) {
      Members members;
      for (const std::size_t each : choose(losses, choosing, size)) {
        members.push_back(&candidates[each]);
      }
      add_scores(members, held_out, labels, scores);
    }
  }
  for (HeldOutScores* side : {&scores.best, &scores.average}) {
    for (double& loss : side->losses) loss /= kRepeats;
    for (double& right : side->right) right /= kRepeats;
  }
  return scores;
}

}  // namespace ranksweep::results
