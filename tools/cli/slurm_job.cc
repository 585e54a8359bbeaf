#include "tools/cli/slurm_job.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cluster/slurm.h"

namespace ranksweep::cli {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

std::optional<std::int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) {
    return std::nullopt;
  }
  const std::string_view view(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
  return error == std::errc() && end == view.data() + view.size() ? std::optional(number)
                                                                  : std::nullopt;
}

std::optional<system_clock::time_point> end_of_job() {
  if (const auto end = number_in("SLURM_JOB_END_TIME")) {  // since Slurm 23
    return system_clock::time_point(seconds(*end));
  }
  const char* job = std::getenv("SLURM_JOB_ID");
  return job == nullptr ? std::nullopt : cluster::slurm_end_of_job(job);
}

}  // namespace

std::optional<orchestrator::Clock::time_point> deadline_of_job() {
  const auto end = end_of_job();
  if (!end) {
    return std::nullopt;
  }
  const auto left =
      *end - system_clock::now() - seconds(number_in("RANKSWEEP_STOP_AHEAD").value_or(0));
  return orchestrator::Clock::now() + left;
}

std::map<std::string, std::string> facts_of_job() {
  constexpr std::array<std::pair<const char*, const char*>, 4> kFacts = {
      {{"Slurm job", "SLURM_JOB_ID"},
       {"Slurm array task", "SLURM_ARRAY_TASK_ID"},
       {"Slurm requeues", "SLURM_RESTART_COUNT"},
       {"Slurm nodes", "SLURM_JOB_NODELIST"}}};
  std::map<std::string, std::string> facts;
  for (const auto& [name, variable] : kFacts) {
    if (const char* value = std::getenv(variable)) {
      facts.emplace(name, value);
    }
  }
  return facts;
}

}  // namespace ranksweep::cli
