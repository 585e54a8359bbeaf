#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>
#include <xxhash.h>

#include "worker/data/decoded_split.h"
#include "worker/data/file_descriptor.h"

namespace ranksweep::worker {

// The file of decoded images, in the machine's own byte order, since it never leaves its node:
//   header, padded to 4096 bytes | pixels of train, val, test | padding to 8 bytes |
//   labels of train, val, test as int64 | the bad files as JSON
// Two XXH3 hashes guard the header and all that follows it.
struct CacheHeader {
  std::array<char, 8> magic;
  std::int32_t height;
  std::int32_t width;
  std::array<std::int64_t, 3> images;  // in train, val, test
  std::int64_t details_bytes;          // of the JSON
  std::uint64_t body_hash;
  std::uint64_t header_hash;  // of the fields above
};

// An open cache file. Immutable.
class CacheFile {
 public:
  // Null when there is no such file, or it is damaged: its size or one of its hashes is wrong, or
  // its images are not height x width.
  static std::unique_ptr<CacheFile> open(const std::filesystem::path& path, int height, int width);
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;
  ~CacheFile();

  const CacheHeader& header() const { return header_; }
  const DecodedSplit& split(std::size_t index) const { return splits_[index]; }
  const std::vector<BadFile>& bad_files() const { return bad_files_; }

 private:
  CacheFile(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  bool read(int height, int width);  // false: damaged

  const std::uint8_t* bytes_;  // memory-mapped
  std::size_t size_;
  CacheHeader header_ = {};
  std::array<DecodedSplit, 3> splits_;
  std::vector<BadFile> bad_files_;
};

// Writes a cache file: under another name at first, and under its own once all of it is on disk.
// What is not finished is removed. Throws DataError when the folder cannot be written or is full.
class CacheWriter {
 public:
  // Reserves room for `images` images, so that a full disk is noticed before anything is decoded.
  CacheWriter(std::filesystem::path path, int height, int width, std::size_t images);
  CacheWriter(const CacheWriter&) = delete;
  CacheWriter& operator=(const CacheWriter&) = delete;
  ~CacheWriter();

  // Images come split by split. `pixels` is height x width x 3.
  void add(std::size_t split, std::span<const std::uint8_t> pixels, std::int64_t label);
  void finish(const std::vector<BadFile>& bad_files);

 private:
  void append(std::span<const std::uint8_t> bytes);
  void write_at(std::span<const std::uint8_t> bytes, std::size_t offset);
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  std::filesystem::path partial_;
  std::size_t reserved_;
  std::size_t size_;
  FileDescriptor file_;
  CacheHeader header_ = {};
  std::vector<std::int64_t> labels_;
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash_;
};

}  // namespace ranksweep::worker
