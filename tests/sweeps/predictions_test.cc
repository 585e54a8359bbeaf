#include "sweeps/predictions.h"

#include <limits>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace ranksweep::sweeps {
namespace {

using ::testing::HasSubstr;

const Predictions kPredictions{.images = 2,
                               .classes = 3,
                               .log_probabilities = {-1e-7F, -16, -0.5F, -2, -3, -1e-38F},
                               .left_out = ""};

std::string refusal_of(const nlohmann::json& json) {
  try {
    predictions_from_json(json);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal_of(const std::string& key, const nlohmann::json& value) {
  nlohmann::json json = to_json(kPredictions);
  json[key] = value;
  return refusal_of(json);
}

std::string refusal_of_number(float number) {
  Predictions predictions = kPredictions;
  predictions.log_probabilities[4] = number;
  return refusal_of(to_json(predictions));
}

TEST(Predictions, KeepEveryBit) {
  EXPECT_EQ(predictions_from_json(to_json(kPredictions)), kPredictions);
  Predictions impossible = kPredictions;
  impossible.log_probabilities[1] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(predictions_from_json(to_json(impossible)), impossible);
}

TEST(Predictions, MayBeLeftOut) {
  EXPECT_TRUE(may_be_kept(1 << 16, 2));
  EXPECT_FALSE(may_be_kept((1 << 16) + 1, 2));
  const Predictions left_out = too_many_predictions(50'000, 1000);
  EXPECT_EQ(left_out.left_out, "50000 images times 1000 classes are more than 131072 numbers");
  EXPECT_EQ(predictions_from_json(to_json(left_out)), left_out);
}

TEST(Predictions, WhatFitsNothingIsRefusedWithItsReason) {
  EXPECT_THAT(refusal_of("images", 3), HasSubstr("6 log-probabilities were given for 3 images"));
  EXPECT_THAT(refusal_of("images", 0), HasSubstr("0 images"));
  EXPECT_THAT(refusal_of("classes", 1), HasSubstr("1 classes"));
  EXPECT_THAT(refusal_of("log_probabilities", "AAAA"), HasSubstr("no base64 of 32-bit numbers"));
  EXPECT_THAT(refusal_of("log_probabilities", "?"), HasSubstr("no base64"));
  EXPECT_THAT(refusal_of("log_probabilities", ""), HasSubstr("0 log-probabilities"));
  EXPECT_THAT(refusal_of("left_out", "too many"), HasSubstr("said to be left out"));
  EXPECT_THAT(refusal_of("images", "two"), HasSubstr("type"));
  EXPECT_THAT(refusal_of(nlohmann::json::object()), HasSubstr("images"));
  EXPECT_THAT(refusal_of_number(0.5F), HasSubstr("positive or no number"));
  EXPECT_THAT(refusal_of_number(std::numeric_limits<float>::quiet_NaN()), HasSubstr("no number"));
  EXPECT_EQ(refusal_of_number(1e-7F), "accepted");
}

}  // namespace
}  // namespace ranksweep::sweeps
