#include "tools/cli/environment.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cluster/child_process.h"
#include "cluster/mpi_transport.h"
#include "cluster/node.h"
#include "tools/cli/slurm_job.h"

namespace ranksweep::cli {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words(std::istreambuf_iterator<char>(file), {});
  if (!words.empty()) {
    words.pop_back();
  }
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

// The first line that git prints, or nothing where there is no git or no repository.
std::string git(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  std::vector<std::string> command = {"git", "-C", folder.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  try {
    const std::string output = cluster::output_of(command);
    return output.substr(0, output.find('\n'));
  } catch (const std::exception&) {
    return "";
  }
}

std::vector<results::JudgedImage> judged(const std::vector<worker::Sample>& samples) {
  std::vector<results::JudgedImage> images;
  images.reserve(samples.size());
  for (const worker::Sample& sample : samples) images.push_back({sample.name, sample.label});
  return images;
}

}  // namespace

results::Provenance this_invocation() {
  return {.command_line = command_line(),
          .host = cluster::host_name(),
          .environment = {{"ranksweep", RANKSWEEP_VERSION},
                          {"LibTorch", RANKSWEEP_LIBTORCH_VERSION},
                          {"MPI", cluster::mpi_version()},
                          {"CPU", cpu_model()}}};
}

results::Provenance collect_provenance(const sweeps::SweepFile& file, const worker::DataSet& data) {
  const sweeps::SweepSpec& sweep = file.sweep;
  results::Provenance provenance = this_invocation();
  provenance.source = sweep.source;
  provenance.data_path = sweep.data.path;
  provenance.classes = data.classes;
  provenance.train_images = static_cast<int>(data.train.size());
  provenance.validation = judged(data.validation);
  provenance.test = judged(data.test);
  provenance.environment.merge(facts_of_job());
  if (file.trainer) {
    provenance.environment.erase("LibTorch");  // takes no part
    provenance.environment["trainer"] = fmt::format("{}", fmt::join(file.trainer->command, " "));
  }
  const auto folder = std::filesystem::absolute(sweep.file).parent_path();
  if (const std::string commit = git(folder, {"rev-parse", "HEAD"}); !commit.empty()) {
    provenance.environment["git commit"] = commit;
    const std::string changes = git(folder, {"diff", "HEAD", "--shortstat"});
    provenance.environment["git changes"] = changes.empty() ? "none" : changes;
  }
  return provenance;
}

}  // namespace ranksweep::cli
