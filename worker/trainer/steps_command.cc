#include "worker/trainer/steps_command.h"

#include <stdexcept>

#include <ATen/Parallel.h>

#include "worker/training/step_time.h"

namespace ranksweep::worker {
namespace {

// Elsewhere bfloat16 is emulated, many times slower than float32. A GPU without it is told apart by
// the measurement.
bool computes_in(sweeps::Precision precision, torch::Device device) {
  if (precision != sweeps::Precision::bfloat16 || !device.is_cpu()) return true;
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

nlohmann::json describe_steps(const std::vector<std::string>& specs, const StepOptions& options,
                              int threads, int steps) {
  at::set_num_threads(threads);
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& text : specs) {
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) throw std::invalid_argument("'" + text + "' is no trial in JSON");
    const sweeps::TrialSpec spec = sweeps::trial_spec_from_json(json);
    nlohmann::json times;
    if (computes_in(spec.precision, options.device)) {
      times = nlohmann::json::array();
      for (const StepTime& each : time_steps(spec, options, steps)) {
        times.push_back({each.wall, each.processor});
      }
    }
    all.push_back(std::move(times));
  }
  return all;
}

}  // namespace ranksweep::worker
