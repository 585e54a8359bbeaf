#include "results/export/tf_record.h"

#include <array>

namespace ranksweep::results {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value % 2 == 1 ? 0x82f63b78 : 0);
    table[i] = value;
  }
  return table;
}

template <typename Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes += static_cast<char>(number >> (8 * i) & 0xff);
  }
  return bytes;
}

// A checksum of data that holds checksums is weak, so TensorFlow stores it turned and shifted.
std::string masked_checksum(std::string_view bytes) {
  const std::uint32_t sum = crc32c(bytes);
  return little_endian(static_cast<std::uint32_t>((sum >> 15 | sum << 17) + 0xa282ead8));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_table();
  std::uint32_t sum = 0xffffffff;
  for (char c : bytes) sum = sum >> 8 ^ kTable[(sum ^ static_cast<unsigned char>(c)) & 0xff];
  return ~sum;
}

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  return length + masked_checksum(length) + std::string(data) + masked_checksum(data);
}

}  // namespace ranksweep::results
