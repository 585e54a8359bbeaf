#include "tools/cli/sweep_inputs.h"

#include <utility>

#include "tools/cli/cost_model.h"

namespace ranksweep::cli {

SweepInputs load_inputs(const std::filesystem::path& sweep_file,
                        const std::filesystem::path& trainer) {
  SweepInputs inputs;
  inputs.sweep = sweeps::load_sweep(sweep_file);
  inputs.data = worker::list_data_set(inputs.sweep.data);
  inputs.data_fingerprint = worker::fingerprint(inputs.data);
  inputs.plan = sweeps::make_plan(inputs.sweep, inputs.data_fingerprint);
  const auto costs = estimate_costs(inputs.plan, static_cast<int>(inputs.data.train.size()),
                                    static_cast<int>(inputs.data.validation.size()), trainer);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    inputs.plan.trials[i].cost = costs[i].multiply_adds;
    inputs.multiply_adds += costs[i].multiply_adds;
    inputs.checkpoint_bytes += costs[i].checkpoint_bytes;
  }
  return inputs;
}

}  // namespace ranksweep::cli
