#include "results/operating_points.h"

#include <cmath>

#include <gmock/gmock.h>

namespace ranksweep::results {
namespace {

using ::testing::IsEmpty;

// Of two classes: the probabilities of class 1, and what the images are.
std::vector<OperatingPoint> points_of(const std::vector<double>& probabilities,
                                      const std::vector<int>& labels) {
  sweeps::Predictions predictions{.images = static_cast<int>(probabilities.size()), .classes = 2};
  std::vector<JudgedImage> images;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    for (double each : {1 - probabilities[i], probabilities[i]}) {
      predictions.log_probabilities.push_back(static_cast<float>(std::log(each)));
    }
    images.push_back({"image", labels.at(i)});
  }
  return operating_points(predictions, images, 1);
}

TEST(OperatingPoints, AreOneForEachProbabilityThatOccurs) {
  const auto points = points_of({0.2, 0.9, 0.6, 0.6, 0.4}, {0, 1, 0, 1, 1});
  ASSERT_EQ(points.size(), 4U);
  EXPECT_NEAR(points[0].threshold, 0.75, 1e-6);
  EXPECT_EQ(points[0].precision(), 1);
  EXPECT_EQ(points[1].taken, 3);  // the two at 0.6 come together
  EXPECT_EQ(points[1].right, 2);
  EXPECT_NEAR(points[1].threshold, 0.5, 1e-6);
  EXPECT_EQ(points[2].recall(), 1);
  EXPECT_NEAR(points[3].threshold, 0.2, 1e-6);  // nothing lies below
}

TEST(OperatingPoints, ThePrecisePointThatFindsMostIsChosen) {
  const auto points = points_of({0.9, 0.8, 0.7, 0.6, 0.5, 0.1}, {1, 1, 0, 1, 1, 0});
  const auto point = find_point(points, 0.8);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->taken, 5);
  EXPECT_EQ(point->recall(), 1);
  EXPECT_EQ(find_point(points, 0.9)->taken, 2);
}

TEST(OperatingPoints, NoOtherImageIsTakenForNothing) {
  // A threshold of 0.05 would still have a precision of two thirds, and find no more.
  const auto point = find_point(points_of({0.9, 0.8, 0.1}, {1, 1, 0}), 0.5);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->taken, 2);
  EXPECT_NEAR(point->threshold, 0.45, 1e-6);
}

TEST(OperatingPoints, AreNoneWhereNothingIsKnown) {
  EXPECT_THAT(points_of({0.9, 0.8}, {0, 0}), IsEmpty());
  EXPECT_THAT(operating_points(sweeps::too_many_predictions(1, 2), {{"image", 1}}, 1), IsEmpty());
  EXPECT_FALSE(find_point({}, 0.5));
  EXPECT_FALSE(find_point(points_of({0.9, 0.8}, {0, 1}), 0.95));
}

}  // namespace
}  // namespace ranksweep::results
