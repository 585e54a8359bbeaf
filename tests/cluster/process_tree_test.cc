#include "cluster/process_tree.h"

#include <chrono>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/child_process.h"

namespace ranksweep::cluster {
namespace {

TEST(ProcessTree, FindsTheChildrenOfProcessesByTheirName) {
  ChildProcess child({"sh", "-c", "sleep 600 & sleep 601 & wait"});
  std::vector<pid_t> found;
  for (int i = 0; i < 500 && found.size() < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    found = children_of_named(::getpid(), "sh");
  }
  EXPECT_EQ(found.size(), 2u);
  EXPECT_THAT(children_of_named(child.pid(), "sh"), testing::IsEmpty());
  EXPECT_THAT(children_of_named(::getpid(), "sleep"), testing::IsEmpty());
  EXPECT_THAT(children_of_named(::getpid(), "no_such_program"), testing::IsEmpty());
}

}  // namespace
}  // namespace ranksweep::cluster
