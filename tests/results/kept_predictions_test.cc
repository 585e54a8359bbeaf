// Predictions of single images, from the trainer's word to the database.
#include <cmath>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "results/image_losses.h"
#include "results/resampling.h"
#include "results/sqlite_store.h"
#include "tests/results/synthetic_sweep.h"
#include "tests/temporary_folder.h"

namespace ranksweep::results {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

sweeps::Predictions predictions_for(const std::vector<float>& right) {
  sweeps::Predictions predictions{.images = static_cast<int>(right.size()), .classes = 2};
  for (std::size_t i = 0; i < right.size(); ++i) {
    const float wrong = std::log(1 - std::exp(right[i]));
    const bool second = i % 2 == 1;  // as the labels alternate
    predictions.log_probabilities.push_back(second ? wrong : right[i]);
    predictions.log_probabilities.push_back(second ? right[i] : wrong);
  }
  return predictions;
}

TEST(ImageLosses, AreThoseOfTheTrueClass) {
  EXPECT_THAT(image_losses(predictions_for({-0.5F, -1e-7F, -3}), {0, 1, 0}),
              ElementsAre(0.5, DoubleNear(1e-7, 1e-14), 3));
}

TEST(ImageLosses, OfImagesThatDoNotFitAreNone) {
  EXPECT_THAT(image_losses(predictions_for({-0.5F, -1}), {0, 1, 0}), IsEmpty());
  EXPECT_THAT(image_losses(predictions_for({-0.5F, -1}), {0, 2}), IsEmpty());
  EXPECT_THAT(image_losses(sweeps::too_many_predictions(2, 2), {0, 1}), IsEmpty());
}

class KeptPredictions : public ::testing::Test {
 protected:
  KeptPredictions() {
    commit({AttemptStarted{1, trial_, 0, "node", "cpu", 1}, EpochRecorded{1, trial_, epoch(1)},
            EpochRecorded{1, trial_, epoch(2)}});
  }

  static sweeps::EpochMetrics epoch(int number) {
    return {.epoch = number, .val_loss = 0.5, .val_accuracy = 0.5, .val_images = kImages};
  }
  void commit(std::vector<Change> changes) { store_->commit(changes); }
  std::int64_t number(const std::string& sql) {
    return SQLite::Database(path_.string()).execAndGet(sql).getInt64();
  }

  static constexpr int kImages = 100;
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.db";
  testing::SyntheticSweep sweep_{.trials = 2};
  sweeps::Plan plan_ = testing::synthetic_plan(sweep_);
  std::unique_ptr<SqliteStore> store_ =
      SqliteStore::open_for_sweep(path_, plan_, testing::synthetic_provenance(sweep_));
  sweeps::TrialId trial_ = plan_.trials[0].id;
};

std::vector<float> some_losses() {
  std::vector<float> right;
  for (int i = 0; i < 100; ++i) right.push_back(-0.01F * static_cast<float>(i + 1));
  return right;
}

TEST_F(KeptPredictions, AreStoredWithTheIntervalOfTheirLoss) {
  const sweeps::Predictions predictions = predictions_for(some_losses());
  commit({PredictionsKept{trial_, 2, predictions}});
  SQLite::Database database(path_.string());
  SQLite::Statement row(database,
                        "SELECT trial, epoch, images, classes, left_out, loss_low, "
                        "loss_high, log_probabilities FROM prediction");
  ASSERT_TRUE(row.executeStep());
  EXPECT_EQ(row.getColumn(1).getInt(), 2);
  EXPECT_EQ(row.getColumn(2).getInt(), 100);
  EXPECT_EQ(row.getColumn(3).getInt(), 2);
  EXPECT_EQ(row.getColumn(4).getString(), "");
  std::vector<double> losses;
  for (float right : some_losses()) losses.push_back(-right);
  const Interval interval = bootstrap_interval(losses).value();
  EXPECT_EQ(row.getColumn(5).getDouble(), interval.low);
  EXPECT_EQ(row.getColumn(6).getDouble(), interval.high);
  const auto blob = row.getColumn(7);
  EXPECT_EQ(sweeps::floats_from({static_cast<const char*>(blob.getBlob()),
                                 static_cast<std::size_t>(blob.getBytes())}),
            predictions.log_probabilities);
}

TEST_F(KeptPredictions, ReplaceEarlierOnes) {
  commit({PredictionsKept{trial_, 1, predictions_for(some_losses())},
          PredictionsKept{trial_, 2, predictions_for(some_losses())}});
  EXPECT_EQ(number("SELECT epoch FROM prediction"), 2);
}

TEST_F(KeptPredictions, GoWithTheirEpoch) {
  commit({PredictionsKept{trial_, 2, predictions_for(some_losses())},
          EpochsDiscarded{.trial = trial_, .last_kept = 1}});
  EXPECT_EQ(number("SELECT count(*) FROM prediction"), 0);
  commit({EpochRecorded{1, trial_, epoch(2)},
          PredictionsKept{trial_, 2, predictions_for(some_losses())},
          EpochRecorded{1, trial_, epoch(2)}});  // trained again
  EXPECT_EQ(number("SELECT count(*) FROM prediction"), 0);
}

TEST_F(KeptPredictions, MayBeLeftOutForAReason) {
  commit({PredictionsKept{trial_, 2, sweeps::too_many_predictions(100'000, 10)}});
  EXPECT_EQ(number("SELECT count(*) FROM prediction WHERE log_probabilities IS NULL "
                   "AND left_out LIKE '100000 images%' AND loss_low IS NULL"),
            1);
}

TEST_F(KeptPredictions, TheImagesTellWhichRowIsWhich) {
  EXPECT_EQ(number("SELECT count(*) FROM image WHERE split = 'validation'"), kImages);
  EXPECT_EQ(number("SELECT position FROM image WHERE file = 'val/007.jpg' AND class = 'smiling' "
                   "AND label = 1"),
            7);
}

TEST_F(KeptPredictions, AnImageThatTrainersSkipHasNoRow) {
  commit({FileSkipped{"val/007.jpg", "is empty"}, FileSkipped{"val/007.jpg", "is empty"}});
  EXPECT_EQ(number("SELECT count(*) FROM image WHERE file = 'val/007.jpg'"), 0);
  std::vector<float> right = some_losses();
  right.pop_back();
  sweeps::Predictions predictions = predictions_for(right);
  commit({PredictionsKept{trial_, 2, predictions}});
  EXPECT_EQ(number("SELECT loss_low IS NOT NULL FROM prediction"), 1);
  // And it does not come back when the sweep goes on.
  store_.reset();
  SqliteStore::open_for_sweep(path_, plan_, testing::synthetic_provenance(sweep_));
  EXPECT_EQ(number("SELECT count(*) FROM image"), kImages - 1);
}

TEST_F(KeptPredictions, ATestResultIsKeptWithItsPredictions) {
  commit({TestEvaluated{.trial = trial_,
                        .epoch = 2,
                        .loss = 0.25,
                        .accuracy = 0.75,
                        .classes_predicted = 2,
                        .predictions = predictions_for(some_losses())}});
  EXPECT_EQ(number("SELECT images FROM test_result WHERE epoch = 2 AND loss = 0.25 "
                   "AND accuracy = 0.75 AND classes = 2 AND evaluated_at LIKE '20%' "
                   "AND length(log_probabilities) = 800"),
            100);
  EXPECT_EQ(number("SELECT count(*) FROM prediction"), 0);
  commit({EpochsDiscarded{.trial = trial_, .last_kept = 1}});
  EXPECT_EQ(number("SELECT count(*) FROM test_result"), 0);
}

TEST_F(KeptPredictions, OfAnEpochThatIsNotThereAreRefused) {
  EXPECT_THROW(commit({PredictionsKept{trial_, 3, predictions_for(some_losses())}}), StoreError);
}

}  // namespace
}  // namespace ranksweep::results
