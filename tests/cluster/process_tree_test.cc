#include "cluster/process_tree.h"

#include <chrono>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/child_process.h"

namespace ranksweep::cluster {
namespace {

TEST(ProcessTree, FindsChildrenOfChildrenByName) {
  ChildProcess child({"sh", "-c", "sleep 600 & sleep 601 & wait"});
  std::vector<pid_t> found;
  for (int i = 0; i < 500 && found.size() < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    found = descendants_named(::getpid(), "sleep");
  }
  EXPECT_EQ(found.size(), 2u);
  EXPECT_EQ(descendants_named(child.pid(), "sleep"), found);
  EXPECT_THAT(descendants_named(found.at(0), "sleep"), testing::IsEmpty());
  EXPECT_THAT(descendants_named(child.pid(), "no_such_program"), testing::IsEmpty());
}

}  // namespace
}  // namespace ranksweep::cluster
