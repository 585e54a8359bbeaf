#include <algorithm>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/starter_sweep.h"
#include "tools/cli/commands.h"
#include "tools/cli/cost_model.h"
#include "tools/cli/sweep_inputs.h"
#include "tools/cli/text.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

std::string work_text(const SweepInputs& inputs) {
  return fmt::format(
      "work  {:.3g} multiply-adds if no trial stops early: about {} on one CPU core\n"
      "      (at {:.0f} thousand million a second; epochs that were measured will tell better)\n"
      "disk  up to {} of checkpoints, beside the database\n",
      inputs.work(), duration_text(inputs.work() / kMultiplyAddsPerCoreSecond),
      kMultiplyAddsPerCoreSecond / 1e9, bytes_text(inputs.checkpoint_bytes));
}

std::string external_work_text(const SweepInputs& inputs) {
  const sweeps::ExternalTrainer& trainer = *inputs.file.trainer;
  return fmt::format(
      "work      {} if no trial stops early\n"
      "identity  parameters, the command's words{}, and the content of {}\n",
      count_text(static_cast<std::int64_t>(inputs.work()), "epoch"),
      inputs.has_data() ? ", the images" : "",
      trainer.inputs.empty() ? "no file: `trainer: {inputs: [...]}` names those that count"
                             : fmt::format("{}", fmt::join(trainer.inputs, ", ")));
}

ExitCode check(const std::filesystem::path& sweep_file) {
  const SweepInputs inputs = load_inputs(sweep_file, find_trainer());
  for (const std::string& warning : inputs.file.sweep.warnings) {
    fmt::print(stderr, "warning: {}\n", warning);
  }
  fmt::print("{}: {}{}\n\n", inputs.plan.sweep_name,
             count_text(static_cast<int>(inputs.plan.trials.size()), "trial"),
             subject_text(inputs));
  const double work = inputs.work();
  fmt::print("  {:<8}  {:>6}  {}\n", "trial", "share", "what it trains");
  for (const sweeps::PlannedTrial& trial : inputs.plan.trials) {
    fmt::print("  {}  {:>5.1f}%  {}\n", trial.id.short_hex(),
               100 * trial.cost / std::max(work, 1.0),
               sweeps::describe(trial.spec, inputs.plan.swept));
  }
  fmt::print("\n{}", inputs.file.trainer ? external_work_text(inputs) : work_text(inputs));
  return ExitCode::success;
}

ExitCode init(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) {
    throw CommandError(
        ExitCode::bad_input,
        fmt::format("{} is there already, and stays as it is; choose another name", file.string()));
  }
  std::ofstream out(file);
  out << sweeps::starter_sweep();
  if (!out.flush()) {
    throw CommandError(ExitCode::unfit, fmt::format("{} cannot be written", file.string()));
  }
  fmt::print("{} written. Edit it, then: ranksweep check {}\n", file.string(), file.string());
  return ExitCode::success;
}

}  // namespace

void add_plan_commands(CLI::App& app, ExitCode& result) {
  auto file = std::make_shared<std::filesystem::path>();
  CLI::App* check_command =
      app.add_subcommand("check", "Check a sweep file and show its plan, work and disk space");
  check_command->add_option("sweep", *file, "The sweep file (YAML)")->required();
  check_command->callback([file, &result] { result = check(*file); });

  auto new_file = std::make_shared<std::filesystem::path>("sweep.yaml");
  CLI::App* init_command = app.add_subcommand("init", "Write a commented sweep file to start from");
  init_command->add_option("sweep", *new_file, "The file to write")->capture_default_str();
  init_command->callback([new_file, &result] { result = init(*new_file); });
}

}  // namespace ranksweep::cli
