#include "tools/cli/device_choice.h"

#include <gmock/gmock.h>

#include "tools/cli/exit_code.h"

namespace ranksweep::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// By name.
std::vector<std::string> choices(const std::vector<RankGpus>& ranks, int trials_per_gpu = 1) {
  std::vector<std::string> chosen;
  for (const auto choice : choose_gpus("auto", ranks, trials_per_gpu)) {
    chosen.push_back(choice ? ranks[chosen.size()].gpus.at(*choice) : "cpu");
  }
  return chosen;
}

TEST(ChooseGpus, GoesRoundTheGpusThatAllRanksOfANodeMayUse) {
  const RankGpus on_m{"m", {"a", "b"}};
  const RankGpus on_n{"n", {"a", "b"}};
  EXPECT_THAT(choices({on_m, on_m, on_n, on_n}), ElementsAre("a", "b", "a", "b"));
  EXPECT_THAT(choices({on_m, on_m, on_m, on_m}, 2), ElementsAre("a", "b", "a", "b"));
}

TEST(ChooseGpus, GivesARankTheOnlyOneThatItMayUse) {
  EXPECT_THAT(choices({{"n", {"a"}}, {"n", {"b"}}}), ElementsAre("a", "b"));
  EXPECT_THAT(choices({{"n", {"a", "b"}}, {"n", {"a"}}}), ElementsAre("b", "a"));
}

TEST(ChooseGpus, IsTheCpuWhereThatIsWantedOrAllThereIs) {
  EXPECT_THAT(choices({{"n", {}}, {"n", {"a"}}}), ElementsAre("cpu", "a"));
  EXPECT_THAT(choose_gpus("cpu", {{"n", {"a"}}}, 1), ElementsAre(std::nullopt));
  EXPECT_THAT(
      [] {
        choose_gpus("cuda", {{"n", {"a"}}, {"n", {}}}, 1);
      },
      ThrowsMessage<CommandError>(
          AllOf(HasSubstr("n: rank 1 has no GPU: "), HasSubstr("choose --device cpu"))));
}

TEST(ChooseGpus, LetsNoMoreRanksShareAGpuThanItIsTold) {
  // Two ranks name one GPU, by its index and by its UUID.
  const std::vector<RankGpus> ranks = {
      {"m", {"GPU-1"}}, {"n", {"GPU-1"}}, {"n", {"GPU-2"}}, {"n", {"GPU-2"}}};
  EXPECT_THAT([&] { choose_gpus("cuda", ranks, 1); },
              ThrowsMessage<CommandError>(
                  AllOf(HasSubstr("n has 2 GPUs and 3 ranks, and ranks 2, 3 would share GPU-2: "),
                        HasSubstr("--trials-per-gpu 2, or choose --device cpu"))));
  EXPECT_THAT(choices(ranks, 2), ElementsAre("GPU-1", "GPU-1", "GPU-2", "GPU-2"));
}

}  // namespace
}  // namespace ranksweep::cli
