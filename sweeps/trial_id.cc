#include "sweeps/trial_id.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>
#include <vector>
#include <xxhash.h>

#include <fmt/format.h>

namespace ranksweep::sweeps {
namespace {

std::string to_hex(const XXH128_hash_t& hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

TrialId::TrialId(std::string_view hex) : hex_(hex) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != 32 || !std::all_of(hex.begin(), hex.end(), is_digit)) {
    throw std::invalid_argument(
        fmt::format("'{}' is no trial identity: 32 hexadecimal digits are", hex));
  }
}

std::string hash_hex(std::string_view bytes) {
  return to_hex(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string hash_hex_of_file(const std::filesystem::path& file) {
  const auto fail = [&] {
    throw std::system_error(errno, std::generic_category(), fmt::format("{}", file.string()));
  };
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> input(std::fopen(file.c_str(), "rb"),
                                                                 &std::fclose);
  if (!input) fail();
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_128bits_reset(state.get());
  std::vector<char> piece(1U << 20U);
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), input.get())) {
    XXH3_128bits_update(state.get(), piece.data(), size);
  }
  if (std::ferror(input.get()) != 0) fail();
  return to_hex(XXH3_128bits_digest(state.get()));
}

}  // namespace ranksweep::sweeps
