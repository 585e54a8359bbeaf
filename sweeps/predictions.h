#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ranksweep::sweeps {

// What a network makes of every image of a split, in the order of the split. Logarithms, since a
// network that is almost sure has a loss of 1e-7, which a probability next to 1 cannot hold in 32
// bits: an image's loss is the negative logarithm of the probability of its class.
struct Predictions {
  int images = 0;
  int classes = 0;
  std::vector<float> log_probabilities;  // images x classes, row by row; empty when left out
  std::string left_out;                  // why they are; else empty

  bool operator==(const Predictions&) const = default;
};

// More numbers than this are left out: they would not fit into a line of the trainer protocol, and
// make the database larger than its use.
inline constexpr std::int64_t kMostLogProbabilities = std::int64_t{1} << 17;
inline bool may_be_kept(std::int64_t images, std::int64_t classes) {
  return images * classes <= kMostLogProbabilities;
}

// {"images": 2, "classes": 2, "log_probabilities": base64 of float32, little-endian, "left_out":
// ""}.
nlohmann::json to_json(const Predictions& predictions);
// Throws std::invalid_argument for what is no such object: a size that does not fit, a number that
// is no logarithm of a probability.
Predictions predictions_from_json(const nlohmann::json& json);

// The log-probabilities as the bytes that travel and are stored, and back.
std::string bytes_of(const std::vector<float>& log_probabilities);
std::vector<float> floats_from(std::string_view bytes);

// What stands for predictions that may not be kept.
Predictions too_many_predictions(std::int64_t images, std::int64_t classes);

}  // namespace ranksweep::sweeps
