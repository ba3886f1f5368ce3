#include "core/interruption.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace ossau::test {
namespace {

// What ends a child that does `work`: a signal, or 0 where it came to its end.
template <class Work>
int signal_that_ends(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(Interruption, IsRequestedByEitherSignal) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const InterruptionHandlers handlers;
    EXPECT_FALSE(interruption_requested());
    ASSERT_EQ(std::raise(signal), 0);
    EXPECT_TRUE(interruption_requested());
  }
}

// A person insists; launchers send theirs twice.
TEST(Interruption, EndsTheProcessOnlyByALaterCtrlC) {
  for (const int first : {SIGINT, SIGTERM, SIGUSR1}) {
    for (const int second : {SIGINT, SIGTERM, SIGUSR1}) {
      EXPECT_EQ(signal_that_ends([&] {
                  const InterruptionHandlers handlers;
                  (void)std::raise(first);
                  (void)std::raise(second);
                }),
                second == SIGINT ? SIGINT : 0);
    }
  }
}

TEST(Interruption, IsDeadlyBeforeAndAfter) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    EXPECT_EQ(signal_that_ends([&] { (void)std::raise(signal); }), signal);
    EXPECT_EQ(signal_that_ends([&] {
                { const InterruptionHandlers handlers; }
                (void)std::raise(signal);
              }),
              signal);
  }
}

// As a shell starts what it runs in the background.
TEST(Interruption, IsNotRequestedByASignalThatIsIgnored) {
  EXPECT_EQ(signal_that_ends([] {
              (void)std::signal(SIGINT, SIG_IGN);
              const InterruptionHandlers handlers;
              (void)std::raise(SIGINT);
              (void)std::raise(SIGINT);
              if (interruption_requested()) (void)std::raise(SIGKILL);
            }),
            0);
}

}  // namespace
}  // namespace ossau::test
