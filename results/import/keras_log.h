#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ranksweep::results {

// The row that Keras prints at the end of an epoch. A log that lost lines may leave several epochs
// possible: from `earliest` to `latest`.
struct KerasRow {
  int line = 0;  // of the log, from 1
  int earliest = 0;
  int latest = 0;
  double val_loss = 0;  // NaN or infinite where the log says so
  std::optional<double> val_accuracy;
  std::optional<double> train_loss;
  std::optional<double> train_accuracy;
  std::optional<double> seconds;
};

// Something of a log that was not taken over as it stands.
struct KerasNote {
  int line = 0;  // 0: of the log as a whole
  std::string text;
};

// One run of model.fit: what its progress log still holds.
struct KerasLog {
  std::optional<int> planned_epochs;  // the 30 of "Epoch 1/30"
  std::map<int, int> heading_lines;   // of each epoch whose heading is left
  std::vector<KerasRow> rows;         // by `earliest`, which no two share
  std::vector<KerasNote> notes;       // by line
};

// Reads the progress log of model.fit, as Keras 2 and 3 print it on a terminal or into a file, with
// the damage that copying does to it: underscores and headings lost, bars of any length, whole rows
// gone. Keras prints four decimals; a number with others has lost some and is not believed. Throws
// StoreError when `text` holds no row with a validation loss, or more than one run; `name` is the
// log's, for the message.
KerasLog read_keras_log(std::string_view text, const std::string& name);

}  // namespace ranksweep::results
