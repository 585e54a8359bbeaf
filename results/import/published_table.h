#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "results/ranking.h"

namespace ranksweep::results {

// A number as it was printed: "94%" is 0.94, known to half a percent.
struct PrintedNumber {
  std::string text;
  double value = 0;
  double half_digit = 0;  // half a unit of its last digit

  bool agrees_with(double other) const;
};

// One row of a result table that somebody published. A cell may be empty.
struct PublishedRow {
  std::string model;
  std::optional<int> best_epoch;
  std::optional<PrintedNumber> val_loss;
  std::optional<PrintedNumber> val_accuracy;
  std::optional<PrintedNumber> train_loss;
  std::optional<PrintedNumber> train_accuracy;
};

// Reads a CSV file with the columns model, min_val_loss_epoch, min_val_loss, val_accuracy,
// train_loss and train_accuracy, in any order; only the first and the third must be there. Throws
// StoreError with file, line and reason.
std::vector<PublishedRow> read_published_table(const std::filesystem::path& file);

// Whether people mean the same network: case, blanks and punctuation do not count.
bool same_model(const std::string& a, const std::string& b);

// Every figure that the row has, to its printed digits.
bool agrees(const PublishedRow& published, const RankedTrial& reproduced);

}  // namespace ranksweep::results
