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

// Computes fingerprint() from the files' hashes, given by split in the order of splits_of().
std::string combine_fingerprint(const DataSet& data,
                                const std::vector<std::vector<std::uint64_t>>& hashes);

}  // namespace ranksweep::worker
