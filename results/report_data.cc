#include "results/report_data.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/comparison_with_best.h"
#include "results/report_sections.h"
#include "results/sweep_store.h"
#include "results/tables.h"
#include "results/utc_time.h"

namespace ranksweep::results {
namespace {

std::optional<double> number(const Cell& cell) {
  const auto* value = std::get_if<double>(&cell);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

// Trials of an external trainer may have different parameters.
Cell value_or_nothing(const std::unordered_map<std::int64_t, Cell>& values, std::int64_t trial) {
  const auto value = values.find(trial);
  return value == values.end() ? Cell() : value->second;
}

std::vector<Effect> read_effects(ResultsReader& reader) {
  const Table table = reader.query(
      "SELECT parameter, value, ranked_trials, trials, mean_val_loss, min_val_loss, spread "
      "FROM effects");
  std::vector<Effect> effects;
  for (const auto& row : table.rows) {
    effects.push_back({std::get<std::string>(row[0]), show_cell(row[1], Show::plain),
                       std::get<std::int64_t>(row[2]), std::get<std::int64_t>(row[3]),
                       number(row[4]), number(row[5]), number(row[6])});
  }
  return effects;
}

std::vector<TrainingPair> read_training_pairs(ResultsReader& reader,
                                              const std::vector<std::string>& swept,
                                              const std::vector<RankedTrial>& ranking) {
  if (std::find(swept.begin(), swept.end(), "training") == swept.end()) return {};
  std::vector<std::unordered_map<std::int64_t, Cell>> shared;
  for (const std::string& name : swept) {
    if (name != "training") shared.push_back(reader.values_of(name));
  }
  const auto training = reader.values_of("training");
  struct Losses {
    std::optional<double> frozen, full;
  };
  std::map<std::vector<Cell>, Losses> by_rest;
  for (const RankedTrial& trial : ranking) {
    if (!trial.rank) continue;
    std::vector<Cell> rest;
    for (const auto& values : shared) rest.push_back(value_or_nothing(values, trial.row));
    const Cell mode = value_or_nothing(training, trial.row);
    if (mode == Cell("frozen")) by_rest[rest].frozen = trial.val_loss;
    if (mode == Cell("full")) by_rest[rest].full = trial.val_loss;
  }
  std::vector<TrainingPair> pairs;
  for (const auto& [rest, losses] : by_rest) {
    if (!losses.frozen || !losses.full) continue;
    std::vector<std::string> values;
    for (const Cell& value : rest) values.push_back(show_cell(value, Show::plain));
    pairs.push_back({fmt::format("{}", fmt::join(values, " ")), *losses.frozen, *losses.full});
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return std::min(a.frozen_val_loss, a.full_val_loss) <
           std::min(b.frozen_val_loss, b.full_val_loss);
  });
  return pairs;
}

std::map<std::string, int> read_random_features(ResultsReader& reader) {
  const Table table = reader.query(R"(
      SELECT architecture.value, count(*)
      FROM sweep_trial AS planned
      JOIN parameter AS training ON training.trial = planned.trial AND training.name = 'training'
      JOIN parameter AS weights ON weights.trial = planned.trial AND weights.name = 'weights'
      JOIN parameter AS architecture
        ON architecture.trial = planned.trial AND architecture.name = 'architecture'
      WHERE training.value = 'frozen' AND weights.value IS NULL
      GROUP BY architecture.value)");
  std::map<std::string, int> counts;
  for (const auto& row : table.rows) {
    counts[std::get<std::string>(row[0])] = static_cast<int>(std::get<std::int64_t>(row[1]));
  }
  return counts;
}

std::vector<Bar> make_bars(ResultsReader& reader, const std::vector<Attempt>& attempts) {
  std::map<sweeps::AttemptId, double> epoch_seconds;
  // Of the attempts that nobody saw end.
  const Table open = reader.query(R"(
      SELECT attempt.id, total(epoch.seconds)
      FROM attempt JOIN epoch ON epoch.trial = attempt.trial AND epoch.attempt = attempt.id
      WHERE attempt.ended_at IS NULL GROUP BY attempt.id)");
  for (const auto& row : open.rows) {
    epoch_seconds[std::get<std::int64_t>(row[0])] = std::get<double>(row[1]);
  }
  const auto seconds = [](const std::string& time) {
    return std::chrono::duration<double>(parse_utc(time).time_since_epoch()).count();
  };
  std::vector<Bar> bars;
  for (const Attempt& attempt : attempts) {
    const double begin = seconds(attempt.begun_at);
    const double end =
        attempt.ended_at.empty() ? begin + epoch_seconds[attempt.id] : seconds(attempt.ended_at);
    bars.push_back({&attempt, begin, end});
  }
  if (bars.empty()) return bars;
  const double first = std::min_element(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) {
                         return a.begin < b.begin;
                       })->begin;
  for (Bar& bar : bars) {
    bar.begin -= first;
    bar.end -= first;
  }
  return bars;
}

std::vector<PublishedPair> pair_with_published(ResultsReader& reader,
                                               const std::vector<PublishedRow>& published,
                                               const std::vector<RankedTrial>& ranking) {
  std::vector<PublishedPair> pairs;
  if (published.empty()) return pairs;
  const auto architectures = reader.values_of("architecture");
  for (const PublishedRow& row : published) {
    const auto trial = std::find_if(ranking.begin(), ranking.end(), [&](const RankedTrial& one) {
      const auto architecture = architectures.find(one.row);
      return same_model(row.model, one.description) ||
             (architecture != architectures.end() &&
              same_model(row.model, show_cell(architecture->second, Show::plain)));
    });
    pairs.push_back({row, trial == ranking.end() ? nullptr : &*trial});
  }
  return pairs;
}

void add_curves(ResultsReader& reader, ReportData& data, std::size_t limit) {
  for (const RankedTrial& trial : data.ranking) {
    if (data.curves.size() == limit) return;
    if (trial.epochs_done > 0) data.curves.push_back({&trial, reader.epochs(trial.trial)});
  }
}

void add_judgements(ResultsReader& reader, ReportData& data) {
  const auto read = [&](const std::string& split, Judgement JudgedTrial::*judgement) {
    std::vector<std::int64_t> rows;
    for (const JudgedTrial& judged : data.judgements) rows.push_back(judged.trial->row);
    const std::vector<JudgedImage> images = reader.images(split);
    reader.predictions(split, rows, [&](std::int64_t row, const auto& predictions) {
      const auto judged = std::ranges::find(data.judgements, row,
                                            [](const JudgedTrial& one) { return one.trial->row; });
      (*judged).*judgement = judge(predictions, images);
    });
  };
  for (const RankedTrial& trial : data.ranking) {
    if (!trial.rank || data.judgements.size() == kJudgedTrials) break;
    data.judgements.push_back({.trial = &trial, .validation = {}, .test = {}});
  }
  read("validation", &JudgedTrial::validation);
  read("test", &JudgedTrial::test);
  std::erase_if(data.judgements, [&](const JudgedTrial& judged) {
    return judged.validation.confusion.size() != data.sweep.classes.size();
  });
}

std::string plural(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string winner_sentence(const RankedTrial& winner) {
  const std::string accuracy =
      winner.val_accuracy
          ? fmt::format(", and an accuracy of {}", show_cell(*winner.val_accuracy, Show::percent))
          : "";
  return fmt::format("{} leads with a validation loss of {} at epoch {}{}.",
                     winner.description.empty() ? winner.trial.short_hex() : winner.description,
                     show_cell(winner.val_loss.value(), Show::loss), winner.best_epoch.value(),
                     accuracy);
}

std::string range(const Interval& interval) {
  return fmt::format("{:.1f} to {:.1f} %", interval.low * 100, interval.high * 100);
}

// Who cannot be told from the winner: by the losses of single images, else by the intervals.
std::string company_sentence(const std::vector<RankedTrial>& ranking, const Interval& accuracy) {
  const auto count = [&](auto holds) {
    return static_cast<std::size_t>(std::count_if(ranking.begin() + 1, ranking.end(), holds));
  };
  const auto compared = count([](const auto& trial) { return trial.like_best.has_value(); });
  if (compared > 0) {
    const auto alike = count([](const auto& trial) { return trial.like_best.value_or(false); });
    return fmt::format(
        " By a paired test of the losses on the same images (sign flips, at 5 %), {} of {} cannot "
        "be told from it.",
        alike == 0 ? "none" : fmt::format("{}", alike), plural(compared, "other trial"));
  }
  const auto others = count([&](const RankedTrial& trial) {
    const auto other = accuracy_interval(trial);
    return trial.rank && other && other->high >= accuracy.low;
  });
  if (others == 0) return "";
  return fmt::format(" The interval{} of {} overlap{} with it.", others == 1 ? "" : "s",
                     plural(others, "other trial"), others == 1 ? "s" : "");
}

// Nothing when there is no interval.
std::string certainty_sentence(const std::vector<RankedTrial>& ranking) {
  const auto interval = accuracy_interval(ranking[0]);
  if (!interval) return "";
  return fmt::format("On {} the 95 % interval of that accuracy is {}.{}",
                     plural(static_cast<std::size_t>(ranking[0].val_images), "validation image"),
                     range(*interval), company_sentence(ranking, *interval));
}

std::string caution_sentence(const SweepInfo& sweep, const std::vector<RankedTrial>& ranking) {
  if (!ranking.empty() && ranking[0].rank && ranking[0].test_accuracy) {
    const RankedTrial& best = ranking[0];
    return fmt::format(
        "On the {} images of the test split, which chose nothing, its loss is {} and its accuracy "
        "{} (95 %: {}).",
        best.test_images, best.test_loss ? show_cell(*best.test_loss, Show::loss) : "infinite",
        show_cell(*best.test_accuracy, Show::percent), range(*test_accuracy_interval(best)));
  }
  if (sweep.val_images == 0) {  // an external trainer's affair
    return "The same validation data chose the best epoch and the best trial and gave their "
           "figures: new data will probably do a little worse.";
  }
  return fmt::format(
      "The same validation images chose the best epoch and the best trial and gave their figures, "
      "since {}: new images will probably do a little worse.",
      sweep.test_images == 0
          ? "the data has no test split"
          : "the test split is evaluated on the best trial only when all have ended");
}

std::string endings_sentence(const std::vector<RankedTrial>& ranking) {
  std::vector<std::string> parts;
  for (const auto& row : status_table(ranking).rows) {
    parts.push_back(
        fmt::format("{} {}", std::get<std::int64_t>(row[1]), std::get<std::string>(row[0])));
  }
  return fmt::format("Of {}: {}.", plural(ranking.size(), "trial"), fmt::join(parts, ", "));
}

// The plan of the sweep warns of the same.
std::string random_features_sentence(const std::map<std::string, int>& counts) {
  if (counts.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [architecture, trials] : counts) {
    parts.push_back(fmt::format("{} ({})", architecture, plural(trials, "trial")));
  }
  return fmt::format("Frozen without weights, so that the head learned from random features: {}.",
                     fmt::join(parts, ", "));
}

}  // namespace

bool went_wrong(const Attempt& attempt) {
  return attempt.outcome == "failed" || attempt.outcome == "lost" || attempt.outcome == "diverged";
}

ReportData read_report_data(ResultsReader& reader, std::size_t curves,
                            const std::vector<PublishedRow>& published) {
  ReportData data;
  reader.at_one_moment([&] {
    data.sweep = reader.sweep();
    data.invocations = reader.invocations();
    data.ranking = reader.ranking();
    compare_with_best(reader, data.ranking);
    data.rank_table = rank_table(
        reader, std::span(data.ranking).first(std::min(data.ranking.size(), kMostRankedRows)));
    add_judgements(reader, data);
    add_curves(reader, data, curves);
    data.effects = read_effects(reader);
    data.training_pairs = read_training_pairs(reader, data.sweep.swept, data.ranking);
    data.attempts = reader.attempts();
    data.bars = make_bars(reader, data.attempts);
    data.device_use = device_table(reader);
    data.device_idle = idle_table(reader);
    data.random_features = read_random_features(reader);
    data.published = pair_with_published(reader, published, data.ranking);
  });
  return data;
}

Headline headline(const ReportData& data) {
  Headline headline;
  if (!data.ranking.empty() && data.ranking[0].rank) {
    headline.winner = winner_sentence(data.ranking[0]);
    headline.certainty = certainty_sentence(data.ranking);
  } else {
    headline.winner = "No trial has finished with an honest result yet.";
  }
  headline.endings = endings_sentence(data.ranking);
  headline.warning = random_features_sentence(data.random_features);
  headline.caution = caution_sentence(data.sweep, data.ranking);
  return headline;
}

}  // namespace ranksweep::results
