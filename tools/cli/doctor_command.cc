#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster/child_process.h"
#include "cluster/mpi_transport.h"
#include "cluster/node.h"
#include "tools/cli/commands.h"
#include "tools/cli/health_checks.h"
#include "tools/cli/text.h"

namespace ranksweep::cli {
namespace {

using Level = Finding::Level;
using nlohmann::json;
using std::chrono::system_clock;

constexpr std::chrono::seconds kPatienceWithRanks{60};  // their trainers measure meanwhile
constexpr double kSkewOfClocks = 1;                     // seconds

struct DoctorOptions {
  std::filesystem::path folder = ".";
  bool ranks_only = false;  // how `doctor` starts itself by mpirun
};

// What a rank tells rank 0.
struct Report {
  std::string host;
  std::vector<Finding> findings;
};

double now_in_seconds() {
  return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

json to_json(const Report& report) {
  json findings = json::array();
  for (const Finding& finding : report.findings) {
    findings.push_back({static_cast<int>(finding.level), finding.what, finding.remedy});
  }
  return {{"host", report.host}, {"findings", findings}};
}

Report report_from(const json& object) {
  Report report{.host = object.at("host"), .findings = {}};
  for (const json& finding : object.at("findings")) {
    report.findings.push_back(
        {static_cast<Level>(finding.at(0).get<int>()), finding.at(1), finding.at(2)});
  }
  return report;
}

void print(const Finding& finding) {
  const char* level = finding.level == Level::ok        ? "ok     "
                      : finding.level == Level::warning ? "warning"
                                                        : "ERROR  ";
  fmt::print("{}  {}\n", level, finding.what);
  if (!finding.remedy.empty()) {
    fmt::print("         -> {}\n", finding.remedy);
  }
}

std::optional<std::string> wait_for_message(cluster::Transport& transport) {
  const auto deadline = std::chrono::steady_clock::now() + kPatienceWithRanks;
  while (std::chrono::steady_clock::now() < deadline) {
    if (auto envelope = transport.receive()) {
      return std::move(envelope->body);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

// The message's way counts as a difference too, which is far below what matters.
Finding check_clock(double time_of_rank_0) {
  const double skew = now_in_seconds() - time_of_rank_0;
  const std::string what = fmt::format("clock: {:+.3f} s from rank 0", skew);
  if (std::abs(skew) > kSkewOfClocks) {
    return {Level::warning, what, "let NTP set it: times in the results come from it"};
  }
  return {Level::ok, what, ""};
}

std::vector<Finding> look_at_node(const std::filesystem::path& folder) {
  std::vector<Finding> found = {check_trainer()};
  for (const auto& more : {check_gpus(), check_limits(), check_folder(folder)}) {
    found.insert(found.end(), more.begin(), more.end());
  }
  if (found.front().level == Level::ok) {
    found.push_back(check_sums());  // by the trainer
  }
  return found;
}

// Every rank but 0: is asked by rank 0, and answers.
void answer(cluster::Transport& transport, const DoctorOptions& options, bool first_of_node) {
  const auto message = wait_for_message(transport);
  if (!message) {
    return;  // rank 0 says so
  }
  const json question = json::parse(*message);
  Report report{.host = cluster::host_name(), .findings = {check_clock(question.at("time"))}};
  if (const std::string lock = question.at("lock"); !lock.empty()) {
    report.findings.push_back(check_lock_of_another(lock));
  }
  if (first_of_node && !options.ranks_only) {
    for (Finding& finding : look_at_node(options.folder)) {
      report.findings.push_back(std::move(finding));
    }
  }
  transport.send(cluster::kCoordinatorRank, to_json(report).dump());
}

// Prints what the others answer; returns the worst of it. `lock` is the file that rank 0 has
// locked, empty when it could not.
Level ask_others(cluster::Transport& transport, const std::string& lock) {
  const json question = {{"time", now_in_seconds()}, {"lock", lock}};
  for (cluster::Rank rank = 1; rank < transport.size(); ++rank) {
    transport.send(rank, question.dump());
  }
  Level worst = Level::ok;
  int answered = 1;
  for (; answered < transport.size(); ++answered) {
    const auto message = wait_for_message(transport);
    if (!message) {
      break;
    }
    const Report report = report_from(json::parse(*message));
    for (const Finding& finding : report.findings) {
      print({finding.level, fmt::format("{}: {}", report.host, finding.what), finding.remedy});
      worst = std::max(worst, finding.level);
    }
  }
  if (answered < transport.size()) {
    print({Level::error, fmt::format("{} of {} ranks answered", answered, transport.size()),
           "let a firewall pass MPI's traffic between the nodes, or choose its network: OpenMPI's "
           "btl_tcp_if_include"});
    return Level::error;
  }
  fmt::print("ok       {} see each other\n", count_text(transport.size(), "rank"));
  return worst;
}

Level print_all(const std::vector<Finding>& findings) {
  Level worst = Level::ok;
  for (const Finding& finding : findings) {
    print(finding);
    worst = std::max(worst, finding.level);
  }
  return worst;
}

Level examine_ranks(const DoctorOptions& options) {
  const auto transport = cluster::MpiTransport::start();
  if (transport->rank() != cluster::kCoordinatorRank) {
    answer(*transport, options, transport->local_rank() == 0);
    return Level::ok;
  }
  const Level here = options.ranks_only ? Level::ok : print_all(look_at_node(options.folder));
  std::optional<LockedFile> lock;
  try {
    lock.emplace(std::filesystem::absolute(options.folder));
  } catch (const std::system_error& error) {
    print({Level::error, error.what(), "name a folder that can be written and locked"});
  }
  const Level others = ask_others(*transport, lock ? lock->path().string() : "");
  return lock ? std::max(here, others) : Level::error;
}

// Two ranks of our own, to see whether mpirun is the one of the MPI that we are linked with, and
// to have another process for the locks.
Level examine_two_ranks(const DoctorOptions& options) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  try {
    fmt::print("{}", cluster::output_of({"timeout", "40", "mpirun", "-n", "2", program, "doctor",
                                         options.folder.string(), "--ranks-only"}));
    return Level::ok;
  } catch (const std::runtime_error& error) {
    print({Level::error, fmt::format("two ranks on this machine: {}", one_line(error.what())),
           "load the MPI that ranksweep was built with (above); as root, or with a single core: "
           ". tools/mpi_environment.sh"});
    return Level::error;
  }
}

Level examine_machine(const DoctorOptions& options) {
  print(
      {Level::ok, fmt::format("ranksweep {}, {}", RANKSWEEP_VERSION, cluster::mpi_version()), ""});
  const Level node = print_all(look_at_node(options.folder));
  return std::max({node, print_all(check_slurm()), examine_two_ranks(options)});
}

ExitCode doctor(const DoctorOptions& options) {
  const Level worst =
      cluster::launched_by_mpi() ? examine_ranks(options) : examine_machine(options);
  return worst == Level::error ? ExitCode::unfit : ExitCode::success;
}

}  // namespace

void add_doctor_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = app.add_subcommand("doctor",
                                         "Examine this machine, or under mpirun all its ranks: "
                                         "MPI, GPUs, file system, limits, clocks");
  command
      ->add_option("folder", options->folder, "Where the results will be, on a folder of all nodes")
      ->capture_default_str();
  command->add_flag("--ranks-only", options->ranks_only)->group("");  // not in the help
  command->callback([options, &result] { result = doctor(*options); });
}

}  // namespace ranksweep::cli
