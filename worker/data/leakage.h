#pragma once

#include <string>
#include <vector>

#include "worker/data/fingerprint.h"

namespace ranksweep::worker {

// What lets validation know what training has seen, as far as it shows without decoding an image:
// groups in more than one split, and files with the same bytes in different splits. One sentence
// each, without a full stop. `hashes` as of hash_files(). check_data() looks closer.
std::vector<std::string> find_leakage(const DataSet& data, const FileHashes& hashes);

}  // namespace ranksweep::worker
