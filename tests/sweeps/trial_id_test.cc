#include "sweeps/trial_id.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <gtest/gtest.h>

namespace ranksweep::sweeps {
namespace {

TEST(TrialId, TakesThirtyTwoLowerCaseDigitsOnly) {
  const std::string hex = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(TrialId(hex).hex(), hex);
  EXPECT_EQ(TrialId(hex).short_hex(), "01234567");
  EXPECT_THROW(TrialId(hex.substr(1)), std::invalid_argument);
  EXPECT_THROW(TrialId(hex + "0"), std::invalid_argument);
  EXPECT_THROW(TrialId("0123456789ABCDEF0123456789ABCDEF"), std::invalid_argument);
  EXPECT_THROW(TrialId("g123456789abcdef0123456789abcdef"), std::invalid_argument);
}

// The empty input's value is in xxHash's own sanity check (tests/sanity_test_vectors.h).
TEST(HashHex, IsXxh3Of128Bits) {
  EXPECT_EQ(hash_hex(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(hash_hex("a"), hash_hex("b"));
}

TEST(HashHexOfFile, EqualsTheHashOfTheContentForEverySizeOfPiece) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "ranksweep_hash_test";
  for (const std::size_t size : {0U, 1U, 1U << 20U, (1U << 20U) + 1, 3'000'000U}) {
    std::string content(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) content[i] = static_cast<char>(i);
    std::ofstream(file, std::ios::binary) << content;
    EXPECT_EQ(hash_hex_of_file(file), hash_hex(content)) << size;
  }
  std::filesystem::remove(file);
}

TEST(HashHexOfFile, NamesAFileThatIsNotThere) {
  try {
    hash_hex_of_file("/no/such/file");
    FAIL() << "no error";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/file"), std::string::npos);
  }
}

}  // namespace
}  // namespace ranksweep::sweeps
