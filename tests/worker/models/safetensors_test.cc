#include "worker/models/safetensors.h"

#include <cstring>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace ranksweep::worker {
namespace {

using ::testing::HasSubstr;

// A file with `header` and `data_size` bytes of data.
std::string file_with(const std::string& header, std::size_t data_size) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_size, 'x');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors(std::as_bytes(std::span(file)));
}

void expect_refused(const std::string& file, const std::string& reason) {
  try {
    parse(file);
    ADD_FAILURE() << "accepted, though: " << reason;
  } catch (const SafetensorsError& error) {
    EXPECT_THAT(error.what(), HasSubstr(reason));
  }
}

std::string good_file() {
  return make_safetensors_header({{"trial", "abc"}}, {{"a", "F32", {2, 3}, 0, 24},
                                                      {"b.c", "I64", {}, 24, 32},
                                                      {"empty", "F32", {0, 5}, 32, 32}}) +
         std::string(32, 'x');
}

TEST(Safetensors, ReadsWhatItWrites) {
  const SafetensorsHeader header = parse(good_file());
  EXPECT_EQ(header.metadata, (std::map<std::string, std::string>{{"trial", "abc"}}));
  EXPECT_EQ(header.data_begin % 8, 0U);
  ASSERT_EQ(header.arrays.size(), 3U);
  EXPECT_EQ(header.arrays[0].name, "a");
  EXPECT_EQ(header.arrays[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(header.arrays[1].dtype, "I64");
  EXPECT_EQ(header.arrays[1].begin, 24U);
  EXPECT_EQ(header.arrays[2].end, 32U);
}

TEST(Safetensors, RefusesFilesThatAreNone) {
  expect_refused("", "shorter than eight bytes");
  expect_refused("1234567", "shorter than eight bytes");
  expect_refused(std::string(64, '\xff'), "header's length");
  expect_refused(file_with("[]", 0), "no JSON object");
  expect_refused(file_with("{\"a\":", 0), "no JSON");
  expect_refused(file_with("\xff\xfe", 0), "no JSON");
}

TEST(Safetensors, RefusesAHugeHeader) {
  std::string file = good_file();
  const std::uint64_t length = 100'000'001;
  std::memcpy(file.data(), &length, 8);
  expect_refused(file, "header's length of 100000001");
  const std::uint64_t largest = ~std::uint64_t{0};
  std::memcpy(file.data(), &largest, 8);
  expect_refused(file, "header's length");
}

TEST(Safetensors, RefusesTruncatedData) {
  expect_refused(good_file().substr(0, good_file().size() - 1), "truncated");
}

TEST(Safetensors, RefusesWhatBelongsToNothing) {
  expect_refused(good_file() + "x", "1 bytes at the end belong to nothing");
}

TEST(Safetensors, RefusesOverlapsAndGaps) {
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  expect_refused(file_with("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", 6),
                 "b: its bytes overlap");
  expect_refused(file_with("{" + a + R"(,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}})", 6),
                 "b: there is a gap");
}

TEST(Safetensors, RefusesBadEntries) {
  const auto with = [](const std::string& entry) { return file_with("{\"a\":" + entry + "}", 4); };
  expect_refused(with("7"), "a: its entry is no JSON object");
  expect_refused(with(R"({"shape":[1],"data_offsets":[0,4]})"), "a: no dtype");
  expect_refused(with(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})"), "unknown dtype");
  expect_refused(with(R"({"dtype":"F32","data_offsets":[0,4]})"), "no list shape");
  expect_refused(with(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), "whole numbers");
  expect_refused(with(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})"), "whole numbers");
  expect_refused(with(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,8]})"), "not two");
  expect_refused(with(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), "outside");
  expect_refused(with(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"), "take 8 bytes");
  expect_refused(with(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]})"),
                 "larger than any memory");
}

TEST(Safetensors, RefusesANameThatComesTwice) {
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  expect_refused(file_with("{" + a + "," + a + "}", 4), "\"a\" twice");
}

TEST(Safetensors, NamesTheFile) {
  const TemporaryFolder folder;
  EXPECT_THROW(SafetensorsFile(folder.path() / "none"), SafetensorsError);
  const auto path = folder.path() / "bad.safetensors";
  std::ofstream(path) << "no safetensors";
  try {
    const SafetensorsFile file(path);
    ADD_FAILURE();
  } catch (const SafetensorsError& error) {
    EXPECT_THAT(error.what(), HasSubstr("bad.safetensors: the header's length"));
  }
}

// Ten thousand damaged files: each is read or refused, and under the sanitizers nothing else.
TEST(Safetensors, SurvivesDamage) {
  std::mt19937 random(1);
  const std::string good = good_file();
  const std::string alphabet = "{}[]\",:0123456789-eE. x\\u\xff";
  int accepted = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string file = good;
    const auto changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      const auto place = random() % file.size();
      switch (random() % 4) {
        case 0:
          file[place] = static_cast<char>(random());
          break;
        case 1:
          file[place] = alphabet[random() % alphabet.size()];
          break;
        case 2:
          file.erase(place, 1 + random() % 9);
          break;
        default:
          file.insert(place, 1, alphabet[random() % alphabet.size()]);
      }
      if (file.empty()) break;
    }
    try {
      for (const ArrayInfo& array : parse(file).arrays) ASSERT_LE(array.end, file.size());
      ++accepted;
    } catch (const SafetensorsError&) {
      continue;
    }
  }
  EXPECT_GT(accepted, 0);  // damage to the data alone passes, so the loop did reach the end
}

}  // namespace
}  // namespace ranksweep::worker
