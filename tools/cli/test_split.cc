#include "tools/cli/test_split.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "cluster/child_process.h"
#include "cluster/signals.h"
#include "results/results_reader.h"
#include "results/table.h"
#include "tools/cli/checkpoint_files.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/temporary_file.h"
#include "tools/cli/text.h"
#include "tools/cli/trainer_program.h"

namespace ranksweep::cli {
namespace {

nlohmann::json evaluate(const TestSplitOptions& options, const std::filesystem::path& checkpoint) {
  const nlohmann::json request = {
      {"data", options.data}, {"device", options.device}, {"threads", options.threads}};
  const TemporaryFile file(request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return ask_trainer(options.trainer, {"test", checkpoint.string(), file.path().string()});
}

results::TestEvaluated result_from(const nlohmann::json& answer) {
  try {
    const nlohmann::json& loss = answer.at("loss");
    return {.loss = loss.is_null() ? std::numeric_limits<double>::infinity() : loss.get<double>(),
            .accuracy = answer.at("accuracy"),
            .classes_predicted = answer.at("classes_predicted"),
            .predictions = sweeps::predictions_from_json(answer)};
  } catch (const std::exception& error) {  // a key that is missing, or of another type
    throw CommandError(ExitCode::unfit, fmt::format("the trainer's answer is of no use ({}):\n{}",
                                                    error.what(), answer.dump()));
  }
}

}  // namespace

TestSplit::TestSplit(TestSplitOptions options, results::SweepStore& store)
    : options_(std::move(options)),
      store_(store),
      done_(options_.trainer.empty() ||
            results::ResultsReader(options_.database).sweep().test_images == 0) {}

void TestSplit::begin() {
  results::ResultsReader reader(options_.database);
  const std::vector<results::RankedTrial> ranking = reader.ranking();
  const bool all_ended = std::ranges::none_of(ranking, [](const results::RankedTrial& trial) {
    return trial.mark == results::Mark::running || trial.mark == results::Mark::pending;
  });
  if (!all_ended) return;  // the last commits wait for the disk
  if (ranking.empty() || !ranking.front().rank || ranking.front().test_accuracy) {
    done_ = true;
    return;
  }
  const results::RankedTrial& best = ranking.front();
  const auto checkpoint = best_checkpoint(best, options_.database);
  evaluation_ = std::async(std::launch::async, [this, checkpoint, best] {
    results::TestEvaluated result = result_from(evaluate(options_, checkpoint));
    result.trial = best.trial;
    result.epoch = *best.best_epoch;
    return result;
  });
}

void TestSplit::advance() {
  if (done_ || cluster::stop_signal() != 0) return;
  try {
    if (!evaluation_.valid()) return begin();
    if (evaluation_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    const results::TestEvaluated result = evaluation_.get();
    const std::vector<results::Change> changes = {result};
    store_.commit(changes);
    fmt::print("test split: loss {}, accuracy {} on {}\n",
               results::show_cell(result.loss, results::Show::loss),
               results::show_cell(result.accuracy, results::Show::percent),
               count_text(result.predictions.images, "image"));
    done_ = true;
  } catch (const cluster::CommandStopped&) {  // by a signal
  } catch (const results::StoreError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw CommandError(ExitCode::unfit,
                       fmt::format("all trials have ended, but the test split could not be "
                                   "evaluated on the best:\n{}\nMend this and run the same command "
                                   "again.",
                                   error.what()));
  }
}

}  // namespace ranksweep::cli
