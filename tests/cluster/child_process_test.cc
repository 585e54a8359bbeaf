#include "cluster/child_process.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace ranksweep::cluster {
namespace {

using testing::HasSubstr;
using testing::Not;

ExitStatus wait_for(ChildProcess& child) {
  while (true) {
    if (const auto status = child.exit_status()) {
      return *status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string read_all(int descriptor) {
  std::string text;
  char bytes[4096];
  pollfd readable{.fd = descriptor, .events = POLLIN, .revents = 0};
  while (::poll(&readable, 1, 5000) > 0) {
    const ssize_t count = ::read(descriptor, bytes, sizeof(bytes));
    if (count <= 0) {
      break;
    }
    text.append(bytes, static_cast<std::size_t>(count));
  }
  return text;
}

bool is_soon_gone(pid_t process) {
  const std::string stat = "/proc/" + std::to_string(process) + "/stat";
  // A zombie that waits for init is as good as gone.
  const auto lives = [&] {
    std::ifstream file(stat);
    std::string pid, name, state;
    return static_cast<bool>(file >> pid >> name >> state) && state != "Z";
  };
  for (int i = 0; i < 500 && lives(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return !lives();
}

TEST(ChildProcess, ItsOutputAndItsExitStatusReachUs) {
  ChildProcess child({"sh", "-c", "echo out; echo err >&2; exit 3"});
  const std::string output = read_all(child.output());
  EXPECT_THAT(output, HasSubstr("out\n"));
  EXPECT_THAT(output, HasSubstr("err\n"));
  EXPECT_EQ(wait_for(child).describe(), "exit status 3");
}

TEST(ChildProcess, ItTalksOverDescriptorThree) {
  ChildProcess child({"sh", "-c", "read line <&3; echo \"got $line\" >&3"});
  ASSERT_EQ(::write(child.socket(), "hello\n", 6), 6);
  EXPECT_EQ(read_all(child.socket()), "got hello\n");
}

TEST(ChildProcess, ASignalIsToldByItsName) {
  ChildProcess child({"sh", "-c", "kill -SEGV $$"});
  EXPECT_EQ(wait_for(child).describe(), "signal 11 (SIGSEGV)");
}

TEST(ChildProcess, ItSeesNoMpiAndNoDescriptorOfOurs) {
  ::setenv("OMPI_COMM_WORLD_RANK", "5", 1);
  ::setenv("PMIX_RANK", "5", 1);
  // Without close-on-exec, as a library might leave it.
  const int leaked = ::dup2(STDERR_FILENO, 77);
  ChildProcess child({"sh", "-c", "env; ls /proc/self/fd | tr '\\n' ' '"});
  const std::string output = read_all(child.output());
  ::close(leaked);
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("PMIX_RANK");
  EXPECT_THAT(output, Not(HasSubstr("OMPI_")));
  EXPECT_THAT(output, Not(HasSubstr("PMIX_")));
  EXPECT_THAT(output, HasSubstr("PATH="));
  EXPECT_THAT(output, Not(HasSubstr("77")));
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnErrorWithItsName) {
  try {
    ChildProcess child({"/no/such/program"});
    FAIL() << "it started";
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/no/such/program"));
  }
}

TEST(ChildProcess, ItsWholeGroupGoesWithIt) {
  std::string grandchild;
  {
    ChildProcess child({"sh", "-c", "sleep 600 & echo $!; wait"});
    char bytes[32] = {};
    pollfd readable{.fd = child.output(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&readable, 1, 5000), 1);
    ASSERT_GT(::read(child.output(), bytes, sizeof(bytes) - 1), 0);
    grandchild = bytes;
  }
  EXPECT_TRUE(is_soon_gone(std::stoi(grandchild)));
}

// As an agent that is killed while its trainer, or somebody else's program, hangs.
TEST(ChildProcess, ItDoesNotOutliveItsParentHoweverItHangs) {
  int pids[2];
  ASSERT_EQ(::pipe(pids), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const ChildProcess child({"sh", "-c", "kill -STOP $$"});
    const pid_t pid = child.pid();
    if (::write(pids[1], &pid, sizeof(pid)) != sizeof(pid)) ::_exit(1);
    while (true) ::pause();
  }
  pid_t child = 0;
  ASSERT_EQ(::read(pids[0], &child, sizeof(child)), static_cast<ssize_t>(sizeof(child)));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(is_soon_gone(child));
  for (const int end : pids) ::close(end);
}

TEST(ExitStatus, ASignalWithoutANameIsToldByItsNumber) {
  EXPECT_EQ((ExitStatus{.signal = 12345}).describe(), "signal 12345");
}

}  // namespace
}  // namespace ranksweep::cluster
