#include "tools/cli/automatic_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ranksweep::cli {
namespace {

using testing::ElementsAre;

constexpr double kGiB = 1 << 30;

sweeps::PlannedTrial trial_of(double cost, int devices = sweeps::kAutomaticDevices) {
  sweeps::PlannedTrial trial{.id = {}, .spec = {}, .cost = cost};
  trial.spec.devices = devices;
  trial.spec.batch_size = 64;
  return trial;
}

std::vector<int> settled(const std::vector<sweeps::PlannedTrial>& trials, DevicesAtHand at_hand) {
  if (at_hand.most == 1) at_hand.most = at_hand.count;
  sweeps::Plan plan;
  plan.trials = trials;
  std::vector<int> devices;
  for (const auto& trial : settle_devices(plan, at_hand).trials) {
    devices.push_back(trial.spec.devices);
  }
  return devices;
}

TEST(AutomaticDevices, AreOneWhereThereIsEnoughToDo) {
  const auto trial = trial_of(1);
  EXPECT_THAT(settled({trial, trial, trial, trial, trial}, {.count = 4}),
              ElementsAre(1, 1, 1, 1, 1));
  EXPECT_THAT(settled({trial, trial, trial}, {.count = 4}), ElementsAre(1, 1, 1));
}

TEST(AutomaticDevices, AreMoreForATrialThatTheOthersWouldWaitFor) {
  EXPECT_THAT(settled({trial_of(1)}, {.count = 4}), ElementsAre(4));
  EXPECT_THAT(settled({trial_of(1), trial_of(1)}, {.count = 4}), ElementsAre(2, 2));
  EXPECT_THAT(settled({trial_of(10), trial_of(1), trial_of(1)}, {.count = 7}),
              ElementsAre(4, 1, 1));
}

TEST(AutomaticDevices, AreMoreWhereOneHasTooLittleMemory) {
  auto large = trial_of(1);
  large.memory_bytes = 2 * kGiB;
  large.memory_bytes_per_image = kGiB;  // 66 GiB on one device, 34 on two, 18 on four
  const std::vector<sweeps::PlannedTrial> trials(9, large);
  EXPECT_EQ(settled(trials, {.count = 8, .memory_bytes = 80 * kGiB}).front(), 1);
  EXPECT_EQ(settled(trials, {.count = 8, .memory_bytes = 40 * kGiB}).front(), 2);
  EXPECT_EQ(settled(trials, {.count = 8, .memory_bytes = 24 * kGiB}).front(), 4);
  EXPECT_EQ(settled(trials, {.count = 2, .memory_bytes = 24 * kGiB}).front(), 2);  // no more there
  EXPECT_EQ(settled(trials, {.count = 8}).front(), 1);
}

TEST(AutomaticDevices, LeaveEachTwoImagesOfABatch) {
  auto small_batch = trial_of(1);
  small_batch.spec.batch_size = 5;
  EXPECT_THAT(settled({small_batch}, {.count = 8}), ElementsAre(2));
}

TEST(AutomaticDevices, AreNoMoreThanOneTrialCanHave) {
  EXPECT_THAT(settled({trial_of(1)}, {.count = 16, .most = 2}), ElementsAre(2));
}

TEST(AutomaticDevices, ChangeNoNumberOfTheUsers) {
  EXPECT_THAT(settled({trial_of(1, 3), trial_of(9)}, {.count = 2}), ElementsAre(3, 1));
}

}  // namespace
}  // namespace ranksweep::cli
