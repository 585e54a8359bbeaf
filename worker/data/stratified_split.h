#pragma once

#include <cstdint>
#include <vector>

#include "worker/data/data_set.h"

namespace ranksweep::worker {

// Moves about `fraction` of each class of `samples` to validation and the rest to train. A group
// stays together; a sample without a group is a group of its own. Seeded: the groups are tried in
// an order that depends on `seed` and their names alone, and a group is moved when that brings the
// classes nearer to their shares. Both results keep the samples' order. Throws DataError when a
// class would be missing on either side.
void stratified_split(const std::vector<Sample>& samples, double fraction, std::int64_t seed,
                      DataSet& data);

}  // namespace ranksweep::worker
