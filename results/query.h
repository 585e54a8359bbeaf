#pragma once

#include <string>

#include "results/table.h"

struct sqlite3;

namespace ranksweep::results {

// The rows of the one statement in `sql`, which may change nothing. A column that is named twice is
// numbered from the second on: "epoch:2". A blob is given as in SQL: x'00ff'. Throws StoreError.
Table run_query(sqlite3* database, const std::string& sql);

}  // namespace ranksweep::results
