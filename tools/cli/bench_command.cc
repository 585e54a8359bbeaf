#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster/node.h"
#include "results/table.h"
#include "sweeps/architectures.h"
#include "sweeps/trial_spec.h"
#include "tools/cli/commands.h"
#include "tools/cli/device_choice.h"
#include "tools/cli/measurements.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

struct BenchOptions {
  std::filesystem::path folder = ".";
  std::vector<std::string> architectures = sweeps::architecture_names();
  int steps = 2;
  double seconds = 3;
  int batch = 10;
  std::string device = "auto";  // auto, cpu or cuda:N
  int threads = cluster::cores_of_node();
  std::string format = "table";
};

// A folder for what is measured there, gone with its owner.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& parent)
      : path_(parent / fmt::format(".ranksweep-bench.{}", ::getpid())) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) {
      throw CommandError(ExitCode::unfit,
                         fmt::format("{} cannot be made ({}); give another --folder",
                                     path_.string(), error.message()));
    }
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {
    table_.columns = {{"measured", "measured"}, {"value", "value"}, {"unit", "unit"}};
  }

  results::Table run() {
    time_steps();
    const ScratchFolder folder(options_.folder);
    tell("images decoded");
    add("images decoded and resized to 150 x 150, one thread",
        decoded_images_per_second(folder.path(), options_.seconds), "1/s");
    tell("durable commits");
    add("durable commits, one epoch each", commits_per_second(folder.path(), options_.seconds),
        "1/s");
    tell("trials that take no time");
    add("trials that take no time, 8 ranks", trials_per_second(folder.path(), options_.seconds),
        "1/s");
    return std::move(table_);
  }

 private:
  // On stderr, so that the result can go to a file.
  static void tell(const std::string& what) { fmt::print(stderr, "measuring: {}\n", what); }

  void add(const std::string& what, double value, const std::string& unit) {
    table_.rows.push_back({what, rounded(value), unit});
  }

  // To what is reproducible.
  static double rounded(double value) { return std::stod(fmt::format("{:.4g}", value)); }

  void time_steps() {
    set_trainer_environment();
    const std::string device = options_.device != "auto" ? options_.device
                               : usable_gpus().empty()   ? "cpu"
                                                         : "cuda:0";
    std::vector<std::string> arguments = {"steps",
                                          "--device",
                                          device,
                                          "--threads",
                                          fmt::format("{}", options_.threads),
                                          "--steps",
                                          fmt::format("{}", options_.steps)};
    for (const std::string& name : options_.architectures) {
      sweeps::TrialSpec spec;
      spec.architecture = name;
      spec.batch_size = options_.batch;
      spec.memory_format = sweeps::MemoryFormat::channels_last;
      arguments.push_back(sweeps::to_canonical_json(spec).dump());
    }
    tell(fmt::format("training steps on {}, {} threads", device, options_.threads));
    const nlohmann::json times = ask_trainer(find_trainer(), arguments);
    for (std::size_t i = 0; i < options_.architectures.size(); ++i) {
      double best = std::numeric_limits<double>::infinity();
      for (const auto& step : times.at(i)) best = std::min(best, step.at(0).get<double>());
      add(fmt::format("training step of {}, batch {}, 150 x 150", options_.architectures[i],
                      options_.batch),
          best, "s");
    }
  }

  BenchOptions options_;
  results::Table table_;
};

}  // namespace

void add_bench_command(CLI::App& app, ExitCode& result) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand(
      "bench", "Measure this machine: training steps, decoding, commits, trials; about a minute");
  command
      ->add_option("--folder", options->folder,
                   "Where databases will lie: commits are measured there")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_option("--architectures", options->architectures, "Only these")
      ->delimiter(',')
      ->check(CLI::IsMember(sweeps::architecture_names()));
  command->add_option("--steps", options->steps, "Training steps of each; the fastest counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "Of each measurement without a trainer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Images a step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda:N")->capture_default_str();
  command->add_option("--threads", options->threads, "Of the trainer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--format", options->format, "table, markdown, latex, csv or json")
      ->check(CLI::IsMember({"table", "markdown", "latex", "csv", "json"}))
      ->capture_default_str();
  command->callback([options, &result] {
    fmt::print("{}", render(Bench(*options).run(), results::table_format_from(options->format)));
    result = ExitCode::success;
  });
}

}  // namespace ranksweep::cli
