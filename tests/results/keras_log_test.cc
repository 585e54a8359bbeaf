#include "results/import/keras_log.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "results/sweep_store.h"

namespace ranksweep::results {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string row(const std::string& val_loss, const std::string& more = "") {
  return "70/70 [====] - 11s 163ms/step - loss: 0.5000 - acc: 0.8000 - val_loss: " + val_loss +
         " - val_acc: 0.9000" + more + "\n";
}

KerasLog read(const std::string& text) { return read_keras_log(text, "cnn.log"); }

std::vector<std::pair<int, int>> places(const KerasLog& log) {
  std::vector<std::pair<int, int>> result;
  for (const KerasRow& one : log.rows) result.emplace_back(one.earliest, one.latest);
  return result;
}

TEST(KerasLog, ReadsADamagedLog) {
  std::ifstream file(RANKSWEEP_SOURCE_DIR "/tests/results/logs/small_cnn.log");
  std::ostringstream text;
  text << file.rdbuf();
  const KerasLog log = read(text.str());
  EXPECT_EQ(log.planned_epochs, 8);
  using Places = std::vector<std::pair<int, int>>;
  EXPECT_EQ(places(log), (Places{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {6, 6}, {7, 8}}));
  EXPECT_EQ(log.rows[1].val_loss, 0.5918);
  EXPECT_EQ(log.rows[1].val_accuracy, 0.69);
  EXPECT_EQ(log.rows[2].seconds, std::nullopt);
  EXPECT_EQ(log.rows[3].train_loss, std::nullopt);
  EXPECT_EQ(log.rows[3].val_loss, 0.034);
  EXPECT_EQ(log.rows[5].train_loss, 1.0420e-4);
  std::vector<std::string> notes;
  for (const KerasNote& note : log.notes)
    notes.push_back(std::to_string(note.line) + ": " + note.text);
  EXPECT_THAT(
      notes,
      ElementsAre("7: how long the epoch took cannot be read, and counts as 0 s",
                  "9: its training loss is '0.374', and Keras prints four decimals: not taken over",
                  "13: left out: its validation loss is '0.412', and Keras prints four decimals",
                  "15: may be any epoch from 7 to 8; taken as 7"));
}

TEST(KerasLog, BetweenTwoHeadingsARowMayBeAnyEpochThatFits) {
  using Places = std::vector<std::pair<int, int>>;
  EXPECT_EQ(
      places(read("Epoch 2/9\n" + row("0.5000") + "Epoch 4/9\n" + row("0.4000") + row("0.3000") +
                  "Epoch 6/9\n" + row("0.2000") + "Epoch 9/9\n" + row("0.1000"))),
      (Places{{2, 3}, {4, 4}, {5, 5}, {6, 8}, {9, 9}}));
  EXPECT_EQ(places(read(row("0.5000") + row("0.4000") + "Epoch 3/3\n" + row("0.4000"))),
            (Places{{1, 1}, {2, 2}, {3, 3}}));
}

TEST(KerasLog, WithoutAnyHeadingRowsFollowOneAnother) {
  using Places = std::vector<std::pair<int, int>>;
  EXPECT_EQ(places(read(row("0.5000") + row("0.4000"))), (Places{{1, 1}, {2, 2}}));
}

TEST(KerasLog, ARowThatNoEpochIsLeftForIsLeftOut) {
  const KerasLog log =
      read("Epoch 1/3\n" + row("0.5000") + row("0.4000") + "Epoch 2/3\n" + row("0.3000"));
  ASSERT_EQ(log.rows.size(), 2u);
  EXPECT_EQ(log.notes[0].line, 3);
  EXPECT_THAT(log.notes[0].text, HasSubstr("there is no epoch between 1 and 2 for it"));
}

TEST(KerasLog, ReadsWhatKeras3PrintsOnATerminal) {
  const KerasLog log = read(
      "Epoch 1/2\n\r\x1b[1m 1/22\x1b[0m \x1b[32m━\x1b[0m 4s 200ms/step - accuracy: 0.4000 - loss: "
      "0.9000\r\x1b[1m22/22\x1b[0m ━━━ 0s 9ms/step - accuracy: 0.5000 - loss: 0.8000"
      "\r\x1b[1m22/22\x1b[0m ━━━ 5s 12ms/step - accuracy: 0.5500 - loss: 0.7000 - val_accuracy: "
      "0.6000 - val_loss: 0.6500\nEpoch 2/2\n22/22 - 3s - 9ms/step - accuracy: 0.7500 - loss: nan "
      "- val_accuracy: 0.5000 - val_loss: nan - learning_rate: 1.0000e-03\n");
  ASSERT_EQ(log.rows.size(), 2u);
  EXPECT_EQ(log.rows[0].val_loss, 0.65);
  EXPECT_EQ(log.rows[0].train_accuracy, 0.55);
  EXPECT_EQ(log.rows[0].seconds, 5);
  EXPECT_TRUE(std::isnan(log.rows[1].val_loss));
  EXPECT_EQ(log.notes.size(), 0u);
}

TEST(KerasLog, ReadsWhatKeras2DrewWithBackspaces) {
  const KerasLog log = read("Epoch 1/1\n70/70 [====] - 9s 1s/step - loss: 0.5000 - acc: 0.8000" +
                            std::string(30, '\b') + row("0.2500"));
  ASSERT_EQ(log.rows.size(), 1u);
  EXPECT_EQ(log.notes.size(), 0u);
}

TEST(KerasLog, TellsOfAnEpochWithoutValidation) {
  const KerasLog log = read(
      "Epoch 1/2\n70/70 [====] - 9s - loss: 0.5000 - acc: 0.8000\nEpoch 2/2\n" + row("0.2500"));
  ASSERT_EQ(log.notes.size(), 1u);
  EXPECT_EQ(log.notes[0].line, 2);
}

TEST(KerasLog, TakesOtherNamesOfTheAccuracy) {
  const KerasLog log = read(
      "1/1 - 2s - loss: 0.5000 - binary_accuracy: 0.8000 - val_loss: 0.4000 - "
      "val_binary_accuracy: 0.7000\n");
  EXPECT_EQ(log.rows[0].train_accuracy, 0.8);
  EXPECT_EQ(log.rows[0].val_accuracy, 0.7);
}

TEST(KerasLog, RefusesWhatIsNoLogOrTwo) {
  EXPECT_THAT([] { read("hello: world\n"); },
              ::testing::ThrowsMessage<StoreError>(HasSubstr("cnn.log: no line in it is")));
  EXPECT_THAT([] { read("Epoch 1/2\n" + row("0.5000") + "Epoch 1/2\n" + row("0.4000")); },
              ::testing::ThrowsMessage<StoreError>(
                  HasSubstr("cnn.log:3: epoch 1 after epoch 1: this is another run")));
}

TEST(KerasLog, BytesOfAnyKindAreNoHarm) {
  unsigned state = 7;
  for (int round = 0; round < 200; ++round) {
    std::string text = "Epoch 1/9\n" + row("0.5000") + "Epoch 2/9\n" + row("0.4000");
    for (int i = 0; i < 5; ++i) {
      state = state * 1664525u + 1013904223u;
      text[(state >> 8) % text.size()] = static_cast<char>(state >> 24);
    }
    try {
      for (const KerasRow& one : read(text).rows) EXPECT_LE(one.earliest, one.latest);
    } catch (const StoreError&) {  // another run, or nothing left
    }
  }
}

}  // namespace
}  // namespace ranksweep::results
