#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "worker/data/data_set.h"

namespace ranksweep::worker {

// XXH3 of a file's bytes. 0 is kept for a file that cannot be read.
std::uint64_t content_hash(std::span<const std::uint8_t> bytes);
inline constexpr std::uint64_t kUnreadable = 0;

// A data set's splits with their names, in the order in which everything goes through them.
struct NamedSplit {
  const char* name;
  const std::vector<Sample>* samples;
};
std::vector<NamedSplit> splits_of(const DataSet& data);

// content_hash() of each file, by split in the order of splits_of().
using FileHashes = std::vector<std::vector<std::uint64_t>>;

// Reads all files. Throws DataError as fingerprint() does.
FileHashes hash_files(const DataSet& data, sweeps::DataSpec::OnBadFile on_bad_file);

// Computes fingerprint() from the files' hashes.
std::string combine_fingerprint(const DataSet& data, const FileHashes& hashes);

}  // namespace ranksweep::worker
