#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ranksweep::sweeps {

// The JSON Schema (draft 2020-12) of a sweep file, for editors that complete and check YAML;
// sweep.schema.json is its text. It knows names, kinds and ranges, not what values mean together.
nlohmann::ordered_json sweep_schema();

}  // namespace ranksweep::sweeps
