#pragma once

#include "results/provenance.h"
#include "sweeps/sweep_file.h"
#include "worker/data/data_set.h"

namespace ranksweep::cli {

// Of this process alone: command line, host, versions. No sweep, no data.
results::Provenance this_invocation();

// Where the numbers of a sweep that starts now will come from.
results::Provenance collect_provenance(const sweeps::SweepFile& file, const worker::DataSet& data);

}  // namespace ranksweep::cli
