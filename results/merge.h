#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ranksweep::results {

// Makes one database of several: parts of one sweep, or sweeps over the same images. Every trial is
// in it once, with the copy that got furthest (ended, failed, running, pending; then the more
// epochs), and every attempt and event of all of them. Sweeps of several names become one, "a + b".
// They are only read. Returns, in a line or more, what was merged.
// Throws StoreError, and leaves nothing, when `merged` exists, the sources have other data than one
// another, or a trial ended in two of them with different figures.
std::string merge_databases(const std::vector<std::filesystem::path>& paths,
                            const std::filesystem::path& merged);

}  // namespace ranksweep::results
