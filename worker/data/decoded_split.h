#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sweeps/sweep_spec.h"
#include "worker/data/cache_folder.h"
#include "worker/data/data_set.h"

namespace ranksweep::worker {

// A split's images and labels, in the order of the data set, bad files left out. Lives as long as
// its DecodedData.
struct DecodedSplit {
  std::span<const std::uint8_t> pixels;  // images x height x width x 3, RGB
  std::span<const std::int64_t> labels;  // of each image: index into classes

  std::size_t size() const { return labels.size(); }
};

// A file that could not be decoded and is not in the decoded data.
struct BadFile {
  std::string name;    // as Sample::name
  std::string reason;  // completes a sentence: "is truncated: ..."

  bool operator==(const BadFile&) const = default;
};

class CacheFile;

// All images of a data set at one size, decoded, memory-mapped read-only from the cache: shared
// between the trainers of a node. Safe to read from any thread.
class DecodedData {
 public:
  explicit DecodedData(std::unique_ptr<CacheFile> file);
  DecodedData(DecodedData&&) noexcept;
  DecodedData& operator=(DecodedData&&) noexcept;
  ~DecodedData();

  int height() const;
  int width() const;
  const DecodedSplit& train() const;
  const DecodedSplit& validation() const;
  const DecodedSplit& test() const;
  const std::vector<BadFile>& bad_files() const;

 private:
  std::unique_ptr<CacheFile> file_;
};

// Called from time to time while the cache is built, or while another process builds it and `done`
// stays 0, so that a caller can say that it lives. What it throws ends the building.
using DecodeProgress = std::function<void(std::size_t done, std::size_t total)>;

// Opens the decoded images of `data`, whose fingerprint() is `fingerprint`, at height x width.
// Builds the cache file when it is not there or damaged, once a node: one process builds it under a
// lock while others wait. Throws DataError:
// - bad files while spec.on_bad_file is fail: all of them, the first 20 with their reason;
// - files that are no longer those of the fingerprint;
// - a cache folder that cannot be written, or is full, with the bytes needed.
DecodedData open_decoded(const DataSet& data, const sweeps::DataSpec& spec,
                         const std::string& fingerprint, int height, int width,
                         const std::filesystem::path& cache_folder = default_cache_folder(),
                         const DecodeProgress& progress = {});

}  // namespace ranksweep::worker
