#include "sweeps/nearest_name.h"

#include <gtest/gtest.h>

namespace ranksweep::sweeps {
namespace {

const std::vector<std::string> kNames = {"learning_rate", "epochs", "seed", "resnet50"};

TEST(NearestName, ForgivesOneSlipOfEachKind) {
  EXPECT_EQ(nearest_name("lerning_rate", kNames), "learning_rate");    // left out
  EXPECT_EQ(nearest_name("learnning_rate", kNames), "learning_rate");  // doubled
  EXPECT_EQ(nearest_name("laerning_rate", kNames), "learning_rate");   // swapped
  EXPECT_EQ(nearest_name("epochx", kNames), "epochs");                 // replaced
}

TEST(NearestName, CaseAndDashesCountForNothing) {
  EXPECT_EQ(nearest_name("Learning-Rate", kNames), "learning_rate");
  EXPECT_EQ(nearest_name("ResNet-50", kNames), "resnet50");
}

TEST(NearestName, ASwapIsOneStep) {
  // Two replacements would be too far for a name of four letters.
  EXPECT_EQ(nearest_name("esed", kNames), "seed");
}

TEST(NearestName, SuggestsNothingFarFetched) {
  EXPECT_EQ(nearest_name("momentum", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'e'), kNames), "");
}

TEST(NearestName, SuggestionListsAllWhenNoneIsNear) {
  EXPECT_EQ(suggestion("epoch", kNames), "; did you mean `epochs`?");
  EXPECT_EQ(suggestion("colour", {"red", "blue"}), "; allowed: red, blue");
}

}  // namespace
}  // namespace ranksweep::sweeps
