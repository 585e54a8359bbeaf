#include "results/judgement.h"

#include <cmath>

#include <gmock/gmock.h>

namespace ranksweep::results {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kClasses = {"cat", "dog", "owl"};
const std::vector<JudgedImage> kImages = {{"a", 0}, {"b", 0}, {"c", 1}, {"d", 2}, {"e", 2}};

sweeps::Predictions predictions_of(const std::vector<std::array<double, 3>>& probabilities) {
  sweeps::Predictions predictions{.images = static_cast<int>(probabilities.size()), .classes = 3};
  for (const auto& row : probabilities) {
    for (double each : row) {
      predictions.log_probabilities.push_back(static_cast<float>(std::log(each)));
    }
  }
  return predictions;
}

const sweeps::Predictions kPredictions = predictions_of({{0.8, 0.1, 0.1},
                                                         {0.2, 0.7, 0.1},
                                                         {0.4, 0.4, 0.2},  // a tie: the first
                                                         {0.05, 0.9, 0.05},
                                                         {0.1, 0.1, 0.8}});

TEST(Judgement, CountsWhatIsTakenForWhat) {
  const Judgement judgement = judge(kPredictions, kImages);
  EXPECT_THAT(judgement.confusion,
              ElementsAre(ElementsAre(1, 1, 0), ElementsAre(1, 0, 0), ElementsAre(0, 1, 1)));
  EXPECT_EQ(render(confusion_table(judgement, kClasses), TableFormat::csv),
            "class,cat,dog,owl,right\r\ncat,1,1,0,0.5\r\ndog,1,0,0,0\r\nowl,0,1,1,0.5\r\n");
}

TEST(Judgement, TellsTheSurestMistakesFirst) {
  const Table table = mistake_table(judge(kPredictions, kImages), kClasses, 2);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0], ElementsAre(Cell("d"), Cell("owl"), Cell("dog"), ::testing::_));
  EXPECT_NEAR(std::get<double>(table.rows[0][3]), 0.9, 1e-6);
  EXPECT_EQ(table.rows[1][0], Cell("b"));
}

TEST(Judgement, OfManyClassesShowsTheMostFrequentConfusions) {
  std::vector<std::string> classes = kClasses;
  Judgement judgement = judge(kPredictions, kImages);
  while (classes.size() < 13) classes.push_back("other");
  judgement.confusion.assign(13, std::vector<int>(13));
  judgement.confusion[1][1] = 50;
  judgement.confusion[0][1] = 2;
  judgement.confusion[2][0] = 7;
  EXPECT_EQ(render(confusion_table(judgement, classes), TableFormat::csv),
            "class,taken_for,images\r\nowl,cat,7\r\ncat,dog,2\r\n");
}

TEST(Judgement, OfImagesThatDoNotFitIsEmpty) {
  EXPECT_THAT(judge(kPredictions, {{"a", 0}}).confusion, IsEmpty());
  EXPECT_THAT(judge(sweeps::too_many_predictions(5, 3), kImages).confusion, IsEmpty());
  std::vector<JudgedImage> images = kImages;
  images[0].label = 3;
  EXPECT_THAT(judge(kPredictions, images).confusion, IsEmpty());
}

}  // namespace
}  // namespace ranksweep::results
