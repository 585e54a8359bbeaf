#include "sweeps/predictions.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sweeps/base64.h"

namespace ranksweep::sweeps {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored form is little-endian");

// Rounding makes some probabilities a little larger than 1.
constexpr float kLargestLogarithm = 1e-3F;

void check(const Predictions& predictions) {
  if (predictions.images < 1 || predictions.classes < 2) {
    throw std::invalid_argument(fmt::format("predictions for {} images and {} classes are none",
                                            predictions.images, predictions.classes));
  }
  const std::size_t count = predictions.log_probabilities.size();
  if (predictions.left_out.empty() && count != static_cast<std::size_t>(predictions.images) *
                                                   static_cast<std::size_t>(predictions.classes)) {
    throw std::invalid_argument(
        fmt::format("{} log-probabilities were given for {} images and {} classes", count,
                    predictions.images, predictions.classes));
  }
  if (!predictions.left_out.empty() && count != 0) {
    throw std::invalid_argument("log-probabilities were given and said to be left out");
  }
  const bool all_fit = std::ranges::all_of(predictions.log_probabilities,
                                           [](float each) { return each <= kLargestLogarithm; });
  if (!all_fit) {
    throw std::invalid_argument("a log-probability is positive or no number");
  }
}

}  // namespace

nlohmann::json to_json(const Predictions& predictions) {
  return {{"images", predictions.images},
          {"classes", predictions.classes},
          {"log_probabilities", encode_base64(bytes_of(predictions.log_probabilities))},
          {"left_out", predictions.left_out}};
}

Predictions predictions_from_json(const nlohmann::json& json) {
  Predictions predictions;
  try {
    predictions.images = json.at("images");
    predictions.classes = json.at("classes");
    predictions.left_out = json.value("left_out", "");
    const auto bytes = decode_base64(json.value("log_probabilities", ""));
    if (!bytes || bytes->size() % sizeof(float) != 0) {
      throw std::invalid_argument("log_probabilities is no base64 of 32-bit numbers");
    }
    predictions.log_probabilities = floats_from(*bytes);
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(error.what());
  }
  check(predictions);
  return predictions;
}

std::string bytes_of(const std::vector<float>& log_probabilities) {
  return {reinterpret_cast<const char*>(log_probabilities.data()),
          log_probabilities.size() * sizeof(float)};
}

std::vector<float> floats_from(std::string_view bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!floats.empty()) std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

Predictions too_many_predictions(std::int64_t images, std::int64_t classes) {
  return {.images = static_cast<int>(images),
          .classes = static_cast<int>(classes),
          .log_probabilities = {},
          .left_out = fmt::format("{} images times {} classes are more than {} numbers", images,
                                  classes, kMostLogProbabilities)};
}

}  // namespace ranksweep::sweeps
