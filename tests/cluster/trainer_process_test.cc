#include "cluster/trainer_process.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace ranksweep::cluster {
namespace {

// How much there is left to wait for once the trainer has had time to close something.
std::size_t polled_after_closing(const std::string& redirections) {
  TrainerProcess trainer({"sh", "-c", "exec " + redirections + "; sleep 600"});
  EXPECT_EQ(trainer.poll_set().size(), 2u);
  for (int i = 0; i < 500 && trainer.poll_set().size() == 2; ++i) {
    trainer.exchange();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return trainer.poll_set().size();
}

TEST(TrainerProcess, WhatATrainerClosedIsNotPolledAgain) {
  EXPECT_EQ(polled_after_closing(">&- 2>&-"), 1u);
  EXPECT_EQ(polled_after_closing("3>&-"), 1u);
}

}  // namespace
}  // namespace ranksweep::cluster
