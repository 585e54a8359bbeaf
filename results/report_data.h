#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/import/published_table.h"
#include "results/judgement.h"
#include "results/results_reader.h"

namespace ranksweep::results {

struct Curve {
  const RankedTrial* trial = nullptr;        // of ReportData::ranking
  std::vector<sweeps::EpochMetrics> epochs;  // all of them
};

// What the trials with one value of a swept parameter reached, from the view `effects`.
struct Effect {
  std::string parameter;
  std::string value;
  std::int64_t ranked_trials = 0;
  std::int64_t trials = 0;
  std::optional<double> mean_val_loss;
  std::optional<double> min_val_loss;
  std::optional<double> spread;
};

// What a trial at its best epoch makes of single images.
struct JudgedTrial {
  const RankedTrial* trial = nullptr;  // of ReportData::ranking
  Judgement validation;
  Judgement test;  // empty unless it was evaluated
};

// It failed, was lost or diverged.
bool went_wrong(const Attempt& attempt);

// Two ranked trials that differ in nothing but `training`.
struct TrainingPair {
  std::string description;  // the swept parameters that they share
  double frozen_val_loss = 0;
  double full_val_loss = 0;
};

// An attempt as a bar of a Gantt chart, in seconds after the first attempt began.
struct Bar {
  const Attempt* attempt = nullptr;  // of ReportData::attempts
  double begin = 0;
  double end = 0;  // of an attempt that nobody saw end: the end of its last epoch
};

// A published row, and the best trial of that name.
struct PublishedPair {
  PublishedRow row;
  const RankedTrial* trial = nullptr;  // of ReportData::ranking; none when there is none
};

// A sweep at one moment, with what the reports derive from it.
struct ReportData {
  ReportData() = default;
  ReportData(const ReportData&) = delete;  // curves and bars point into it
  ReportData& operator=(const ReportData&) = delete;
  ReportData(ReportData&&) = default;
  ReportData& operator=(ReportData&&) = default;

  SweepInfo sweep;
  std::vector<Invocation> invocations;
  std::vector<RankedTrial> ranking;
  Table rank_table;                     // of the best kMostRankedRows
  std::vector<JudgedTrial> judgements;  // of the best trials, as far as predictions were kept
  std::vector<Curve> curves;            // of the best trials that have epochs
  std::vector<Effect> effects;
  std::vector<TrainingPair> training_pairs;  // best first
  std::vector<Attempt> attempts;
  std::vector<Bar> bars;
  Table device_use;
  Table device_idle;
  // Trials with a frozen base that no file gave weights, by architecture.
  std::map<std::string, int> random_features;
  std::vector<PublishedPair> published;
};

ReportData read_report_data(ResultsReader& reader, std::size_t curves,
                            const std::vector<PublishedRow>& published = {});

// What both reports begin with, as plain text. A sentence that there is nothing to say for is
// empty.
struct Headline {
  std::string winner;
  std::string certainty;  // the interval of its accuracy, and whose intervals overlap with it
  std::string endings;    // how many trials have which mark
  std::string warning;    // that heads learned from random features
  std::string caution;    // what to know before quoting the figures
};
Headline headline(const ReportData& data);

}  // namespace ranksweep::results
