#include "tools/cli/device_choice.h"

#include <gmock/gmock.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(DeviceChoice, IsAGpuForEachRankWhereThereAreAny) {
  EXPECT_EQ(choose_device("auto", {.rank = 1, .ranks = 2, .gpus = 2}), "cuda:1");
  EXPECT_EQ(choose_device("auto", {.rank = 1, .ranks = 2, .gpus = 0}), "cpu");
  EXPECT_EQ(choose_device("cpu", {.rank = 1, .ranks = 2, .gpus = 2}), "cpu");
}

TEST(DeviceChoice, RefusesToShareUnlessItIsTold) {
  EXPECT_THAT([] { choose_device("auto", {.rank = 2, .ranks = 3, .gpus = 2}); },
              ThrowsMessage<CommandError>(HasSubstr("2 GPUs and 3 ranks")));
  EXPECT_THAT([] { choose_device("cuda", {.rank = 0, .ranks = 1, .gpus = 0}); },
              ThrowsMessage<CommandError>(HasSubstr("choose --device cpu")));
}

TEST(DeviceChoice, SharesEvenly) {
  EXPECT_EQ(choose_device("cuda", {.rank = 2, .ranks = 3, .gpus = 2, .trials_per_gpu = 2}),
            "cuda:0");
  EXPECT_EQ(choose_device("cuda", {.rank = 3, .ranks = 4, .gpus = 2, .trials_per_gpu = 2}),
            "cuda:1");
  EXPECT_THAT(
      [] { choose_device("cuda", {.rank = 4, .ranks = 5, .gpus = 2, .trials_per_gpu = 2}); },
      ThrowsMessage<CommandError>(HasSubstr("--trials-per-gpu")));
}

}  // namespace
}  // namespace ranksweep::cli
