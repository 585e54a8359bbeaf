#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/interval.h"
#include "results/table.h"
#include "sweeps/trial_id.h"

namespace ranksweep::results {

// How a trial stands in the ranking, best first. Only `finished` trials have a rank. `collapsed`:
// it finished, but at its best epoch it gave every validation image the same class.
enum class Mark { finished, collapsed, diverged, failed, running, pending };

const char* name_of(Mark mark);

// One row of the view `ranking`: a trial of the plan at its best epoch.
struct RankedTrial {
  std::string sweep;
  std::optional<int> rank;  // counted from 1
  int position = 0;         // among all trials of the plan, those without a rank last
  Mark mark = Mark::pending;
  sweeps::TrialId trial;
  std::string description;         // "resnet50 0.001 flip full"
  std::optional<int> best_epoch;   // none before the first epoch with a finite validation loss
  std::optional<double> val_loss;  // these at the best epoch
  std::optional<Interval> val_loss_interval;  // at 95 %, from the losses of single images
  std::optional<double> val_accuracy;
  std::optional<double> train_loss;
  std::optional<double> train_accuracy;
  int val_images = 0;
  std::optional<double> test_loss;  // of the test split, on the weights of the best epoch
  std::optional<double> test_accuracy;
  int test_images = 0;
  int epochs_done = 0;
  double seconds = 0;  // of all epochs that count
  std::optional<std::int64_t> network_parameters;
  int attempts = 0;
  std::int64_t row = 0;  // of the trial in the database
  // Whether its losses on the validation images cannot be told from those of the trial of rank 1.
  // Nothing for that trial, for one without a rank, and where predictions are missing; and until
  // compare_with_best() has looked.
  std::optional<bool> like_best;
};

// The Wilson score interval, at a confidence of 95 %, of the accuracy that `correct` right answers
// of `images` speak for (E. B. Wilson, 1927, J. Am. Stat. Assoc. 22, p. 209). Needs 0 <= correct <=
// images, images > 0.
Interval wilson_interval(int correct, int images);

// Of a trial's validation accuracy; none before the first epoch.
std::optional<Interval> accuracy_interval(const RankedTrial& trial);
// Of its accuracy on the test split; none when it was not evaluated.
std::optional<Interval> test_accuracy_interval(const RankedTrial& trial);

}  // namespace ranksweep::results
