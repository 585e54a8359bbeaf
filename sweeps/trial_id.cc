#include "sweeps/trial_id.h"

#include <algorithm>
#include <stdexcept>
#include <xxhash.h>

#include <fmt/format.h>

namespace ranksweep::sweeps {

TrialId::TrialId(std::string_view hex) : hex_(hex) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != 32 || !std::all_of(hex.begin(), hex.end(), is_digit)) {
    throw std::invalid_argument(
        fmt::format("'{}' is no trial identity: 32 hexadecimal digits are", hex));
  }
}

std::string hash_hex(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace ranksweep::sweeps
