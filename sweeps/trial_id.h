#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <string_view>

namespace ranksweep::sweeps {

// The identity of a trial: 32 lower-case hexadecimal digits, a 128-bit XXH3 hash of its canonical
// specification and the data set's fingerprint. Two trials with the same id are the same trial, so
// none is ever trained twice. People see the first eight digits, as in git.
class TrialId {
 public:
  TrialId() = default;
  // Throws std::invalid_argument unless `hex` is 32 lower-case hexadecimal digits.
  explicit TrialId(std::string_view hex);

  const std::string& hex() const { return hex_; }
  std::string short_hex() const { return hex_.substr(0, 8); }

  auto operator<=>(const TrialId&) const = default;

 private:
  std::string hex_;
};

// 32 hexadecimal digits of the XXH3 128-bit hash of `bytes` (https://xxhash.com), the one hash that
// the project uses: for identities, fingerprints and cache keys.
std::string hash_hex(std::string_view bytes);

// The same of a file's content, read in pieces. Throws std::system_error, which names the file.
std::string hash_hex_of_file(const std::filesystem::path& file);

}  // namespace ranksweep::sweeps
